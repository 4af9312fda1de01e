/** Zones, virtual network links and record sets as the Private DNS stand-in remembers them. What is being created or deleted changes with time alone. */
import { createHash } from 'node:crypto';
import { isObject, type Json } from '../aci/json.ts';
import type { Documents } from './documents.ts';
import type { RecordType } from './record-rules.ts';

/** A zone or a link: what an operation creates and deletes. */
export interface Resource {
  readonly id: string;
  readonly name: string;
  readonly etag: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly properties: Json;
  /** Epoch ms at which it is usable. */
  readonly readyAt: number;
  /** Epoch ms at which it is gone; absent = it stays. */
  readonly goneAt?: number;
}

/** Id of the virtual network of a link, in lower case; empty = it names none. */
export function linkedNetwork({ properties }: Resource): string {
  const network = properties['virtualNetwork'];
  return isObject(network) ? String(network['id']).toLowerCase() : '';
}

export interface RecordSet {
  readonly id: string;
  readonly name: string;
  readonly type: RecordType;
  readonly etag: string;
  readonly properties: Json;
}

export interface Operation {
  readonly id: string;
  readonly doneAt: number;
}

export class ZoneStore {
  readonly #documents: Documents;

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  /** Forgets what is gone by now. */
  advance(now: number): void {
    for (const kind of ['zone', 'link']) {
      for (const [key, value] of this.#documents.list(`${kind}|`)) {
        if (((value as Resource).goneAt ?? Number.POSITIVE_INFINITY) > now) continue;
        this.#documents.remove(key);
        if (kind === 'zone')
          for (const [record] of this.#documents.list(recordKey(key.slice(5), ''))) this.#documents.remove(record);
      }
    }
  }

  zone = (id: string): Resource | undefined => this.#documents.get(`zone|${id.toLowerCase()}`) as Resource | undefined;
  zones = (): readonly Resource[] => this.#values<Resource>('zone|');
  putZone = (zone: Resource): void => this.#documents.put(`zone|${zone.id.toLowerCase()}`, zone);

  link = (id: string): Resource | undefined => this.#documents.get(`link|${id.toLowerCase()}`) as Resource | undefined;
  links = (zoneId: string): readonly Resource[] => this.#values<Resource>(`link|${zoneId.toLowerCase()}/`);
  putLink = (link: Resource): void => this.#documents.put(`link|${link.id.toLowerCase()}`, link);

  record(zoneId: string, type: RecordType, name: string): RecordSet | undefined {
    return this.#documents.get(recordKey(zoneId, `${name.toLowerCase()}|${type}`)) as RecordSet | undefined;
  }
  /** Ordered by name, then type. */
  records = (zoneId: string): readonly RecordSet[] => this.#values<RecordSet>(recordKey(zoneId, ''));
  /** All types of one name. */
  recordsNamed = (zoneId: string, name: string): readonly RecordSet[] =>
    this.#values<RecordSet>(recordKey(zoneId, `${name.toLowerCase()}|`));
  putRecord = (zoneId: string, set: RecordSet): void =>
    this.#documents.put(recordKey(zoneId, `${set.name.toLowerCase()}|${set.type}`), set);
  removeRecord = (zoneId: string, set: RecordSet): void =>
    this.#documents.remove(recordKey(zoneId, `${set.name.toLowerCase()}|${set.type}`));

  operation = (id: string): Operation | undefined => this.#documents.get(`op|${id}`) as Operation | undefined;

  beginOperation(doneAt: number): Operation {
    const operation = { id: this.freshId('operation'), doneAt };
    this.#documents.put(`op|${operation.id}`, operation);
    return operation;
  }

  /** From a stored sequence, so that a run can be repeated. */
  freshId(what: string): string {
    const sequence = Number(this.#documents.get('sequence') ?? 0) + 1;
    this.#documents.put('sequence', sequence);
    const hash = createHash('sha256').update(`${what} ${sequence}`).digest('hex');
    return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-${hash.slice(12, 16)}-${hash.slice(16, 20)}-${hash.slice(20, 32)}`;
  }

  #values<T>(prefix: string): readonly T[] {
    return this.#documents.list(prefix).map(([, value]) => value as T);
  }
}

const recordKey = (zoneId: string, rest: string): string => `record|${zoneId.toLowerCase()}|${rest}`;
