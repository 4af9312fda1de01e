/** The SDK's client for the ARM of a running platform, with a token of its identity endpoint: what the portal or a colleague would use. */
import { readFileSync } from 'node:fs';
import type { ContainerInstanceManagementClient } from '@azure/arm-containerinstance';
import type { Platform } from '../../src/local/platform.ts';
import { clientAt } from './arm-over-https.ts';

export async function armOf({ azure }: Platform): Promise<ContainerInstanceManagementClient> {
  const at = `${azure['IDENTITY_ENDPOINT']}?api-version=2019-08-01&resource=https://management.azure.com`;
  const answer = await fetch(at, { headers: { 'x-identity-header': azure['IDENTITY_HEADER'] ?? '' } });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  const ca = readFileSync(azure['NODE_EXTRA_CA_CERTS'] ?? '', 'utf8');
  return clientAt(azure['FLOTILLA_ARM_ENDPOINT'] ?? '', token, { tlsOptions: { ca } });
}
