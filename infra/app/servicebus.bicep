// The command queue: one session per app keeps an app's commands in order. Sessions and duplicate detection need the Standard tier.
// Beside it the queues at which other systems may be told what became of the commands they sent (docs/service-bus.md).
param location string
param tags object
param token string
param replyQueues array

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

resource replies 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = [
  for name in replyQueues: {
    parent: namespace
    name: name
    properties: {
      // A session per receiver: each finds its own replies in a queue that several share.
      requiresSession: true
      requiresDuplicateDetection: true
      duplicateDetectionHistoryTimeWindow: 'PT10M'
      // A reply that nobody fetches is not kept for ever.
      defaultMessageTimeToLive: 'P1D'
      deadLetteringOnMessageExpiration: false
    }
  }
]

output name string = namespace.name
output queueName string = queue.name
// The endpoint is `https://NAME.DOMAIN:443/`, with the domain of the cloud at hand.
output fullyQualifiedNamespace string = split(replace(namespace.properties.serviceBusEndpoint, 'https://', ''), ':')[0]
