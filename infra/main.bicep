// One Flotilla installation: a Function App that owns nothing but its identity, and what that identity may reach.
// `azd up` deploys it; `az deployment sub create --location REGION --template-file infra/main.bicep --parameters …` does as well.
targetScope = 'subscription'

@description('Name of the environment; becomes part of resource names.')
@minLength(1)
@maxLength(20)
param environmentName string

@description('Region of the Function App and its storage. Container groups go where pools.yaml says.')
param location string

@description('Identity of this installation (1-20 of a-z, 0-9, -): every tag, name and record carries it.')
@minLength(1)
@maxLength(20)
param installation string = environmentName

@description('Raised by a restore, so that an older installation steps back.')
@minValue(1)
param installationEpoch int = 1

@description('Names of the resource groups of this subscription that pools.yaml places container groups in. They are created where absent.')
@minLength(1)
param poolResourceGroups array = ['${environmentName}-pools']

@description('Networks that may call the HTTP API, as CIDR ranges; nobody else may. A second lock: the API wants a function key as well.')
param apiNetworks array = []

@description('Queues at which other systems that send commands over Service Bus may be told what became of them. They are created.')
param replyQueues array = ['flotilla-replies']

@description('Most instances of the Function App at once.')
@minValue(40)
@maxValue(1000)
param maximumInstances int = 40

@description('Key that secrets are sealed with, made at the first deployment; afterwards the one in the vault stays, whatever is given here.')
@secure()
param secretsKey string = '${newGuid()}${newGuid()}'

var tags = { 'azd-env-name': environmentName }
var token = toLower(uniqueString(subscription().id, environmentName, location))

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

resource poolGroups 'Microsoft.Resources/resourceGroups@2024-03-01' = [
  for name in poolResourceGroups: {
    name: name
    location: location
    tags: tags
  }
]

module monitoring 'app/monitoring.bicep' = {
  scope: group
  params: { location: location, tags: tags, token: token }
}

module hostStorage 'app/storage.bicep' = {
  scope: group
  params: {
    name: 'sthost${token}'
    location: location
    tags: tags
    containers: ['app-package']
  }
}

module stateStorage 'app/storage.bicep' = {
  scope: group
  params: {
    name: 'ststate${token}'
    location: location
    tags: tags
    containers: ['event-dead-letters']
    tables: ['flotilla']
  }
}

module bus 'app/servicebus.bicep' = {
  scope: group
  params: { location: location, tags: tags, token: token, replyQueues: replyQueues }
}

module vault 'app/vault.bicep' = {
  scope: group
  params: { location: location, tags: tags, token: token, secretsKey: secretsKey }
}

module functions 'app/functions.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    packageContainerUrl: '${hostStorage.outputs.blobEndpoint}app-package'
    apiNetworks: apiNetworks
    maximumInstances: maximumInstances
  }
}

module access 'app/access.bicep' = {
  scope: group
  params: {
    principalId: functions.outputs.principalId
    hostStorageName: hostStorage.outputs.name
    stateStorageName: stateStorage.outputs.name
    serviceBusName: bus.outputs.name
    queueName: bus.outputs.queueName
    replyQueues: replyQueues
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    vaultName: vault.outputs.vaultName
    secretName: vault.outputs.secretName
  }
}

module settings 'app/settings.bicep' = {
  scope: group
  params: {
    appName: functions.outputs.name
    installation: installation
    installationEpoch: installationEpoch
    hostStorageName: hostStorage.outputs.name
    tablesEndpoint: stateStorage.outputs.tableEndpoint
    serviceBusNamespace: bus.outputs.fullyQualifiedNamespace
    replyQueues: replyQueues
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    vaultName: vault.outputs.vaultName
    secretName: vault.outputs.secretName
  }
  dependsOn: [access]
}

module operatorRole 'app/operator-role.bicep' = {
  params: { token: token, resourceGroups: poolResourceGroups }
  dependsOn: [poolGroups]
}

module poolAccess 'app/pool-access.bicep' = [
  for (name, index) in poolResourceGroups: {
    scope: poolGroups[index]
    params: { principalId: functions.outputs.principalId, roleDefinitionId: operatorRole.outputs.id }
  }
]

output AZURE_RESOURCE_GROUP string = group.name
// What infra/events.bicep is told.
output FLOTILLA_FUNCTION_APP string = functions.outputs.name
output FLOTILLA_STATE_STORAGE string = stateStorage.outputs.name
output FLOTILLA_POOL_GROUPS array = poolResourceGroups
output FLOTILLA_API string = functions.outputs.url
