// The app settings: exactly what `src/config.ts` reads. Written after the identity got its roles, because a Key Vault reference that cannot be resolved
// when the app starts is not tried again for a day.
param appName string
param installation string
param installationEpoch int
param hostStorageName string
param tablesEndpoint string
param serviceBusNamespace string
param replyQueues array
param applicationInsightsName string
param vaultName string
param secretName string

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource app 'Microsoft.Web/sites@2024-04-01' existing = {
  name: appName

  resource settings 'config' = {
    name: 'appsettings'
    properties: {
      AzureWebJobsStorage__accountName: hostStorageName
      APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD'
      FLOTILLA_INSTALLATION: installation
      FLOTILLA_INSTALLATION_EPOCH: string(installationEpoch)
      FLOTILLA_ARM_ENDPOINT: environment().resourceManager
      FLOTILLA_TABLES_ENDPOINT: tablesEndpoint
      FLOTILLA_SERVICEBUS__fullyQualifiedNamespace: serviceBusNamespace
      FLOTILLA_REPLY_QUEUES: join(replyQueues, ',')
      FLOTILLA_POOLS_FILE: 'pools.yaml'
      FLOTILLA_SECRETS_KEY: '@Microsoft.KeyVault(VaultName=${vaultName};SecretName=${secretName})'
    }
  }
}
