/**
 * One DNS question against the private zones: authoritative answers, CNAMEs followed, wildcards as RFC 4592 has them, and the SOA with every "no". A zone
 * answers in the virtual networks that it is linked to. Pure.
 */
import type { Json } from '../aci/json.ts';
import { type RecordType, recordsOf } from './record-rules.ts';
import { linkedNetwork, type RecordSet, type Resource, type ZoneStore } from './zone-store.ts';

export interface Question {
  /** With or without the last dot, in any case. */
  readonly name: string;
  /** `A`, `AAAA`, …; `ANY` asks for all. */
  readonly type: string;
}

/** A record as it goes over the wire; `data` in the form of the `dns-packet` library. */
export interface WireRecord {
  readonly name: string;
  readonly type: RecordType;
  readonly ttl: number;
  readonly data: unknown;
}

export interface Resolution {
  /** `REFUSED`: no private zone has the name, and nobody else is asked. */
  readonly rcode: 'NOERROR' | 'NXDOMAIN' | 'REFUSED';
  readonly answers: readonly WireRecord[];
  readonly authorities: readonly WireRecord[];
}

/** CNAMEs followed in a row; more is taken for a loop. */
const CHAIN_MAX = 8;

/** @param network id of the virtual network that the question comes from; absent = one that every linked zone is linked to */
export function resolve(store: ZoneStore, question: Question, now: number, network?: string): Resolution {
  const answers: WireRecord[] = [];
  let name = question.name.toLowerCase().replace(/\.$/, '');
  for (let hop = 0; hop <= CHAIN_MAX; hop += 1) {
    const zone = zoneOf(store, name, now, network);
    if (!zone) return { rcode: answers.length > 0 ? 'NOERROR' : 'REFUSED', answers, authorities: [] };
    const { sets, exists } = lookUp(store, zone, name);
    const wanted = sets.filter(({ type }) => type === question.type || question.type === 'ANY');
    answers.push(...wanted.flatMap((set) => wire(set, name)));
    if (wanted.length > 0) return { rcode: 'NOERROR', answers, authorities: [] };
    const alias = sets.find(({ type }) => type === 'CNAME');
    if (!alias) return { rcode: exists ? 'NOERROR' : 'NXDOMAIN', answers, authorities: soa(store, zone) };
    answers.push(...wire(alias, name));
    name = String(recordsOf('CNAME', alias.properties)[0]?.['cname']).toLowerCase().replace(/\.$/, '');
  }
  return { rcode: 'NOERROR', answers, authorities: [] };
}

/** The zone of the longest name that the question ends with. */
function zoneOf(store: ZoneStore, name: string, now: number, network: string | undefined): Resource | undefined {
  const isThere = ({ readyAt, goneAt = Number.POSITIVE_INFINITY }: Resource) => now >= readyAt && now < goneAt;
  const isOf = (link: Resource) => network === undefined || linkedNetwork(link) === network.toLowerCase();
  const usable = (zone: Resource) => isThere(zone) && store.links(zone.id).some((link) => isThere(link) && isOf(link));
  return store
    .zones()
    .filter((zone) => (name === zone.name || name.endsWith(`.${zone.name}`)) && usable(zone))
    .sort((a, b) => b.name.length - a.name.length)[0];
}

function lookUp(store: ZoneStore, zone: Resource, name: string): { sets: readonly RecordSet[]; exists: boolean } {
  const relative = name === zone.name ? '@' : name.slice(0, -zone.name.length - 1);
  const own = store.recordsNamed(zone.id, relative);
  if (own.length > 0 || isParent(store, zone, relative)) return { sets: own, exists: true };
  const labels = relative.split('.');
  for (let from = 1; from <= labels.length; from += 1) {
    const rest = labels.slice(from).join('.');
    const wild = store.recordsNamed(zone.id, rest === '' ? '*' : `*.${rest}`);
    if (wild.length > 0) return { sets: wild, exists: true };
    // A name that is there keeps wildcards above it away.
    if (rest !== '' && (store.recordsNamed(zone.id, rest).length > 0 || isParent(store, zone, rest))) break;
  }
  return { sets: [], exists: false };
}

/** Something is below the name, so the name exists, too. */
const isParent = (store: ZoneStore, zone: Resource, relative: string): boolean =>
  store.records(zone.id).some(({ name }) => name.endsWith(`.${relative}`));

function soa(store: ZoneStore, zone: Resource): readonly WireRecord[] {
  const set = store.record(zone.id, 'SOA', '@');
  return set ? wire(set, zone.name) : [];
}

function wire({ type, properties }: RecordSet, name: string): readonly WireRecord[] {
  const ttl = Number(properties['ttl']);
  return recordsOf(type, properties).map((record) => ({ name, type, ttl, data: DATA_OF[type](record) }));
}

const DATA_OF: Readonly<Record<RecordType, (record: Json) => unknown>> = {
  A: (record) => record['ipv4Address'],
  AAAA: (record) => record['ipv6Address'],
  CNAME: (record) => record['cname'],
  PTR: (record) => record['ptrdname'],
  TXT: (record) => record['value'],
  MX: ({ preference, exchange }) => ({ preference, exchange }),
  SRV: ({ priority, weight, port, target }) => ({ priority, weight, port, target }),
  SOA: ({ host, email, serialNumber, refreshTime, retryTime, expireTime, minimumTtl }) => ({
    mname: host,
    rname: email,
    serial: serialNumber,
    refresh: refreshTime,
    retry: retryTime,
    expire: expireTime,
    minimum: minimumTtl,
  }),
};
