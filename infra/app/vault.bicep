// The key that secrets are sealed with. The values themselves are in the state storage; whoever reads only one of the two learns nothing.
param location string
param tags object
param token string
@secure()
param secretsKey string

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: 'kv-${token}'
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    // Without the key no secret opens any more: nobody can destroy it before its time.
    enablePurgeProtection: true
    publicNetworkAccess: 'Enabled'
  }
}

// A deployment makes the key once and never again: a new one would lock every stored secret.
@onlyIfNotExists()
resource key 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = {
  parent: vault
  name: 'flotilla-secrets-key'
  tags: tags
  properties: { value: secretsKey, contentType: 'Key of sealed secrets (FLOTILLA_SECRETS_KEY)' }
}

output vaultName string = vault.name
output secretName string = key.name
