/** `Microsoft.Network/privateDnsZones` behind ARM: which path and method is which operation. */
import { notModelled } from '../aci/errors.ts';
import type { Provider } from '../aci/provider.ts';
import { type Handler, operationResult, operationStatus, type Parts } from './exchange.ts';
import { deleteLink, getLink, listLinks, patchLink, putLink } from './links.ts';
import { deleteRecord, getRecord, listRecords, patchRecord, putRecord } from './records.ts';
import type { ZoneStore } from './zone-store.ts';
import { deleteZone, getZone, listZones, patchZone, putZone } from './zones.ts';

const GROUP =
  '/subscriptions/(?<subscriptionId>[^/]+)/resourceGroups/(?<resourceGroup>[^/]+)/providers/Microsoft\\.Network';
const ZONE = `${GROUP}/privateDnsZones/(?<zone>[^/]+)`;
const path = (pattern: string) => new RegExp(`^${pattern}/?$`, 'i');
const PATHS = {
  zones: path(
    `/subscriptions/(?<subscriptionId>[^/]+)(/resourceGroups/(?<resourceGroup>[^/]+))?/providers/Microsoft\\.Network/privateDnsZones`,
  ),
  zone: path(ZONE),
  links: path(`${ZONE}/virtualNetworkLinks`),
  link: path(`${ZONE}/virtualNetworkLinks/(?<link>[^/]+)`),
  records: path(`${ZONE}/(?<type>A|AAAA|CNAME|MX|PTR|SOA|SRV|TXT|ALL)`),
  record: path(`${ZONE}/(?<type>A|AAAA|CNAME|MX|PTR|SOA|SRV|TXT)/(?<record>[^/]+)`),
  status: path(`${GROUP}/privateDnsOperationStatuses/(?<operation>[^/]+)`),
  result: path(`${GROUP}/privateDnsOperationResults/(?<operation>[^/]+)`),
} as const;

type Kind = keyof typeof PATHS;

const HANDLERS: Readonly<Record<Kind, Readonly<Record<string, Handler>>>> = {
  zones: { GET: listZones },
  zone: { GET: getZone, PUT: putZone, PATCH: patchZone, DELETE: deleteZone },
  links: { GET: listLinks },
  link: { GET: getLink, PUT: putLink, PATCH: patchLink, DELETE: deleteLink },
  records: { GET: listRecords },
  record: { GET: getRecord, PUT: putRecord, PATCH: patchRecord, DELETE: deleteRecord },
  status: { GET: operationStatus },
  result: { GET: operationResult },
};

export function createPrivateDnsProvider(store: ZoneStore): Provider {
  return {
    serves:
      /^\/subscriptions\/(?<subscriptionId>[^/]+)(\/resourceGroups\/(?<resourceGroup>[^/]+))?\/providers\/Microsoft\.Network\/privateDns/i,
    apiVersions: ['2018-09-01', '2020-01-01', '2020-06-01', '2024-06-01'],
    act: 'dns',
    resourceType: 'privateDnsZones',
    handle(call) {
      store.advance(call.now);
      for (const [kind, pattern] of Object.entries(PATHS) as [Kind, RegExp][]) {
        const groups = pattern.exec(call.url.pathname)?.groups;
        if (!groups) continue;
        const handler = HANDLERS[kind][call.method];
        if (!handler) break;
        const given = Object.entries(groups).flatMap(([name, value]) =>
          value === undefined ? [] : [[name, decodeURIComponent(value)]],
        );
        return handler(store, call, Object.fromEntries(given) as Parts);
      }
      return notModelled(`Microsoft.Network ${call.method} ${call.url.pathname}`);
    },
  };
}
