using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'flotilla')
param location = readEnvironmentVariable('AZURE_LOCATION', 'eastus2')
