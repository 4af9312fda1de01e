// The Function App on Flex Consumption, with an identity of its own and no secret in its settings.
param location string
param tags object
param token string
param installation string
param installationEpoch int
param hostStorageName string
param packageContainerUrl string
param tablesEndpoint string
param serviceBusNamespace string
param replyQueues array
param applicationInsightsName string
param apiNetworks array
param maximumInstances int

var apiRules = [
  for (network, index) in apiNetworks: {
    name: 'api-${index}'
    action: 'Allow'
    ipAddress: network
    priority: 100 + index
  }
]

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: 'func-${token}'
  location: location
  tags: union(tags, { 'azd-service-name': 'flotilla' })
  kind: 'functionapp,linux'
  identity: { type: 'SystemAssigned' }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUrl
          authentication: { type: 'SystemAssignedIdentity' }
        }
      }
      runtime: { name: 'node', version: '22' }
      scaleAndConcurrency: { instanceMemoryMB: 2048, maximumInstanceCount: maximumInstances }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      // The API starts and deletes containers. It wants a key; the networks named are a second lock. Event Grid calls its webhook from networks of its own.
      ipSecurityRestrictionsDefaultAction: 'Deny'
      ipSecurityRestrictions: concat(apiRules, [
        {
          name: 'event-grid'
          action: 'Allow'
          ipAddress: 'AzureEventGrid'
          tag: 'ServiceTag'
          priority: 90
        }
      ])
      scmIpSecurityRestrictionsUseMain: false
    }
  }

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
    }
  }
}

output name string = app.name
output principalId string = app.identity.principalId
output url string = 'https://${app.properties.defaultHostName}'
