// The command queue: one session per app keeps an app's commands in order. Sessions and duplicate detection need the Standard tier.
param location string
param tags object
param token string

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: 'sb-${token}'
  location: location
  tags: tags
  sku: { name: 'Standard', tier: 'Standard' }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
  }
}

resource queue 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = {
  parent: namespace
  name: 'flotilla-commands'
  properties: {
    requiresSession: true
    requiresDuplicateDetection: true
    // A message id is `<operation>:<attempt>`: the same attempt sent twice within this time is stored once.
    duplicateDetectionHistoryTimeWindow: 'PT10M'
    lockDuration: 'PT1M'
    maxDeliveryCount: 10
    deadLetteringOnMessageExpiration: true
  }
}

output name string = namespace.name
output queueName string = queue.name
// The endpoint is `https://NAME.DOMAIN:443/`, with the domain of the cloud at hand.
output fullyQualifiedNamespace string = split(replace(namespace.properties.serviceBusEndpoint, 'https://', ''), ':')[0]
