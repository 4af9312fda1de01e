// Tells a deployed Function App of what ARM did to container groups. A deployment of its own, after the code: Event Grid asks the function before
// it subscribes it. `azd up` does so by a hook of azure.yaml; by hand:
// `az deployment sub create --location REGION --template-file infra/events.bicep --parameters resourceGroupName=… functionAppName=… storageName=…`
targetScope = 'subscription'

@description('Resource group of the Function App: output AZURE_RESOURCE_GROUP of main.bicep.')
param resourceGroupName string

@description('Output FLOTILLA_FUNCTION_APP of main.bicep.')
param functionAppName string

@description('Account that takes events which could not be delivered: output FLOTILLA_STATE_STORAGE of main.bicep.')
param storageName string

@description('The same as of main.bicep.')
@minLength(1)
param poolResourceGroups array

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' existing = {
  name: resourceGroupName
}

resource poolGroups 'Microsoft.Resources/resourceGroups@2024-03-01' existing = [
  for name in poolResourceGroups: {
    name: name
  }
]

module topics 'app/events.bicep' = [
  for (name, index) in poolResourceGroups: {
    scope: poolGroups[index]
    params: { functionAppName: functionAppName, functionAppGroup: group.name, storageName: storageName }
  }
]

module deadLetters 'app/dead-letters.bicep' = [
  for (name, index) in poolResourceGroups: {
    scope: group
    params: { storageName: storageName, principalId: topics[index].outputs.principalId }
  }
]

// Last: a topic that may not write dead letters is refused its subscription.
module subscriptions 'app/event-subscription.bicep' = [
  for (name, index) in poolResourceGroups: {
    scope: poolGroups[index]
    params: {
      topicName: topics[index].outputs.topicName
      functionId: topics[index].outputs.functionId
      storageAccountId: topics[index].outputs.storageAccountId
    }
    dependsOn: [deadLetters]
  }
]
