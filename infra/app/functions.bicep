// The Function App on Flex Consumption, with an identity of its own. Its settings are in settings.bicep.
param location string
param tags object
param token string
param packageContainerUrl string
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
}

output name string = app.name
output principalId string = app.identity.principalId
output url string = 'https://${app.properties.defaultHostName}'
