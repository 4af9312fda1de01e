// The system topic of one pool's resource group. Not of the subscription: a source has one topic at most, and a subscription's may be somebody else's already;
// and what happens outside the pools is none of our business. Sources of ARM are global.
param functionAppName string
param functionAppGroup string
param storageName string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'evgt-${uniqueString(resourceGroup().id, functionAppName)}'
  location: 'global'
  identity: { type: 'SystemAssigned' }
  properties: {
    source: resourceGroup().id
    topicType: 'Microsoft.Resources.ResourceGroups'
  }
}

resource functionApp 'Microsoft.Web/sites@2024-04-01' existing = {
  name: functionAppName
  scope: resourceGroup(functionAppGroup)
}

resource handler 'Microsoft.Web/sites/functions@2024-04-01' existing = {
  parent: functionApp
  name: 'groupEvents'
}

resource storage 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: storageName
  scope: resourceGroup(functionAppGroup)
}

output topicName string = topic.name
output principalId string = topic.identity.principalId
output functionId string = handler.id
output storageAccountId string = storage.id
