// What Flotilla may do to container groups, and no more: no exec, no networks, no other resources. No built-in role is this narrow.
targetScope = 'subscription'

param token string
param resourceGroups array

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, token, 'flotilla-operator')
  properties: {
    roleName: 'Flotilla container group operator (${token})'
    description: 'Creates, reads and deletes container groups, and reads their logs.'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          'Microsoft.ContainerInstance/containerGroups/read'
          'Microsoft.ContainerInstance/containerGroups/write'
          'Microsoft.ContainerInstance/containerGroups/delete'
          'Microsoft.ContainerInstance/containerGroups/containers/logs/read'
          'Microsoft.ContainerInstance/locations/operations/read'
        ]
        notActions: []
      }
    ]
    assignableScopes: [for name in resourceGroups: '${subscription().id}/resourceGroups/${name}']
  }
}

output id string = role.id
