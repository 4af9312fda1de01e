/** ARM: its core over the memory store, moved by the virtual clock, watched so that every change of a container group becomes an event. */
import { type ArmCore, createArmCore } from '../../../src/local/aci/core.ts';
import { addFault } from '../../../src/local/aci/faults.ts';
import type { GroupRecord } from '../../../src/local/aci/model.ts';
import { DEFAULT_SETTINGS } from '../../../src/local/aci/settings.ts';
import { type AciStore, createMemoryAciStore } from '../../../src/local/aci/store.ts';
import { standinContainers } from '../../../src/local/containers/catalogue.ts';
import type { CoreRequest, CoreResponse } from '../../../src/local/core.ts';
import { provisioningFaults } from '../faults/registry.ts';
import type { ArmGroup, Facts } from '../types.ts';
import { clock, type Scheduled } from '../virtual/clock.ts';
import { causeNow, mayStrike, noteFault, secrets, type WorldCore } from './core.ts';
import type { Events } from './events.ts';

export const subscriptionId = DEFAULT_SETTINGS.subscriptionIds[0] ?? '';
export const resourceGroup = DEFAULT_SETTINGS.resourceGroups[0] ?? '';

export interface Arm {
  readonly core: ArmCore;
  readonly store: AciStore;
  /** `how.stale` shows an earlier answer to the same request; `how.short` leaves out part of a list. */
  handle(request: CoreRequest, how: { readonly stale: boolean; readonly short: boolean }): CoreResponse;
  groups(): readonly ArmGroup[];
  group(name: string): ArmGroup | undefined;
  /** Groups that are gone, oldest first, each name once: a create of theirs might still arrive. */
  readonly departed: ArmGroup[];
  /** Name of a group in keys: `<app>/<service>/<slot>/<incarnation>`, stable from run to run. */
  label(name: string): string;
  /** Share of the packets to a region that are lost. */
  readonly dropping: Map<string, number>;
  record(name: string): GroupRecord | undefined;
  /** After the world changed something by itself. */
  changed(): void;
}

export function createArm(world: WorldCore, facts: Facts, events: Events): Arm {
  const store = createMemoryAciStore();
  const core = createArmCore({
    store,
    authorize: (authorization) => authorization === `Bearer ${secrets.token}`,
    containers: standinContainers,
    emit: (event) => events.publish(event, arm.label(event.subject.split('/').at(-1) ?? '')),
    settings: {
      pageSize: facts.listPageSize,
      provisioningMs: facts.provisioningMs,
      deletionMs: facts.deletionMs,
      retryAfterSeconds: facts.retryAfterSeconds,
      quotas: { ...DEFAULT_SETTINGS.quotas, containerGroups: facts.quotaGroups },
    },
  });
  const arm: WorldArm = new WorldArm(world, core, store, facts);
  return arm;
}

/** How far a replica of ARM may lag behind: an assumption, nothing is published. */
const stalestMs = 45_000;

interface Seen {
  readonly signature: string;
  readonly group: ArmGroup;
}

class WorldArm implements Arm {
  readonly core: ArmCore;
  readonly store: AciStore;
  readonly #world: WorldCore;
  readonly #facts: Facts;
  readonly #labels = new Map<string, string>();
  readonly #createdAt = new Map<string, number>();
  /** What ARM never gives back, by group. */
  readonly #secrets = new Map<string, Pick<ArmGroup, 'environment' | 'files'>>();
  #seen = new Map<string, Seen>();
  readonly departed: ArmGroup[] = [];
  readonly dropping = new Map<string, number>();
  readonly #departedNames = new Set<string>();
  #revision = -1;
  #timer: Scheduled | null = null;
  /** Earlier answers to reads: what a replica of ARM that lags behind would still say. */
  readonly #past = new Map<string, { readonly at: number; readonly response: CoreResponse }>();

  constructor(world: WorldCore, core: ArmCore, store: AciStore, facts: Facts) {
    this.#world = world;
    this.core = core;
    this.store = store;
    this.#facts = facts;
  }

  handle(request: CoreRequest, how: { readonly stale: boolean; readonly short: boolean }): CoreResponse {
    if (request.method === 'PUT') this.#beforeCreate(request);
    const kept = how.stale ? this.#past.get(request.url) : undefined;
    const past = kept && clock.now - kept.at <= stalestMs ? kept.response : undefined;
    const response = past ?? this.core.handle(request, clock.now, (key, options) => this.#draw(key, options));
    if (request.method === 'GET' && response.status === 200 && !past && clock.now < this.#world.calmFrom)
      this.#remember(request.url, response);
    this.changed();
    return how.short ? shortened(response) : response;
  }

  /** Every third answer or so is kept, so that the past lies some time back. */
  #remember(url: string, response: CoreResponse): void {
    const kept = this.#past.get(url);
    if (kept && clock.now - kept.at <= stalestMs && this.#past.size % 3 !== 0) return;
    this.#past.delete(url);
    this.#past.set(url, { at: clock.now, response });
    if (this.#past.size > 200) this.#past.delete(this.#past.keys().next().value ?? '');
  }

  #draw(key: string, options: number): number {
    if (key.endsWith('/image-refused-at-once')) return this.#facts.imageRefusedAtOnce ? Math.min(1, options - 1) : 0;
    return 0;
  }

  /** Notes the name of a new group, and draws what will become of it. */
  #beforeCreate({ url, body }: CoreRequest): void {
    const name = /containerGroups\/([^/?]+)/.exec(url)?.[1] ?? '';
    const asked = JSON.parse(body) as AskedGroup;
    const label = labelOf(asked.tags ?? {}, name);
    this.#labels.set(name, label);
    this.#secrets.set(name, secretsIn(asked));
    const weights = [
      0,
      ...provisioningFaults.map((fault) => (mayStrike(this.#world, fault) ? 0.03 * this.#world.plan.factor : 0)),
    ];
    const choice = this.#world.choices.weighted(`prov/${label}`, weights);
    const fault = provisioningFaults[choice - 1];
    if (!fault) return;
    noteFault(this.#world, fault, causeNow(), label);
    const arrange = (effect: Parameters<typeof addFault>[1]['effect']) =>
      void addFault(this.store, { act: 'create', name, times: 1, effect });
    const message = 'The requested resource is not available in the location.';
    if (fault === 'neverProvisions') arrange({ kind: 'mishap', mishap: { code: 'InternalServerError', message } });
    if (fault === 'provisioningFails')
      arrange({ kind: 'mishap', mishap: { code: 'InsufficientCapacity.', message, afterMs: 4_000 } });
    if (fault === 'failsThenRuns') {
      arrange({
        kind: 'mishap',
        mishap: { code: 'InternalServerError', message, afterMs: 3_000, runsAfterMs: 20_000 },
      });
    }
    if (fault === 'noCapacity')
      arrange({ kind: 'error', status: 409, code: 'ServiceUnavailable', message, after: false });
    if (fault === 'slowStart') arrange({ kind: 'mishap', mishap: { code: 'Slow', message, runsAfterMs: 90_000 } });
  }

  label(name: string): string {
    return this.#labels.get(name) ?? name;
  }

  record(name: string): GroupRecord | undefined {
    return this.store.groups().find((group) => group.name === name);
  }

  groups(): readonly ArmGroup[] {
    return [...this.#seen.values()].map(({ group }) => group);
  }

  group(name: string): ArmGroup | undefined {
    return this.#seen.get(name)?.group;
  }

  changed(): void {
    if (this.store.revision !== this.#revision) this.#compare();
    const next = this.core.nextAt();
    if (this.#timer?.fn && this.#timer.at === next) return;
    if (this.#timer) clock.cancel(this.#timer);
    this.#timer =
      next === undefined
        ? null
        : clock.at(next, () => {
            this.core.advance(clock.now);
            this.changed();
          });
  }

  #compare(): void {
    this.#revision = this.store.revision;
    const before = this.#seen;
    const after = new Map<string, Seen>();
    for (const record of this.store.groups()) {
      const known = before.get(record.name);
      const signature = signatureOf(record);
      if (known?.signature === signature) {
        after.set(record.name, known);
        continue;
      }
      if (!known) this.#createdAt.set(record.name, clock.now);
      const group = this.#toGroup(record);
      after.set(record.name, { signature, group });
      const replaced = known && known.signature.split('\n')[0] !== signature.split('\n')[0] && !group.deleting;
      this.#emit(known ? (replaced ? 'replaced' : 'changed') : 'created', group);
    }
    this.#seen = after;
    for (const [name, { group }] of before) {
      if (after.has(name)) continue;
      if (!this.#departedNames.has(name)) this.departed.push(group);
      this.#departedNames.add(name);
      this.#emit('gone', group);
    }
  }

  #emit(change: 'created' | 'replaced' | 'changed' | 'gone', group: ArmGroup): void {
    this.#world.emit({ type: 'group', at: clock.now, change, group });
  }

  #toGroup(record: GroupRecord): ArmGroup {
    return {
      name: record.name,
      region: record.location,
      tags: record.tags,
      provisioningState: record.provisioningState,
      ip: record.ip ?? null,
      cores: record.cores,
      createdAt: this.#createdAt.get(record.name) ?? clock.now,
      image: record.containers.map(({ image }) => image).join(','),
      serving: record.containers.every(
        ({ condition, current }) => condition === 'serving' && current.state === 'Running',
      ),
      listening: record.containers.every(({ condition }) => condition !== 'down' && condition !== 'starting'),
      deleting: record.provisioningState === 'Deleting',
      stopped: record.stopped === 'Stopped',
      ...(this.#secrets.get(record.name) ?? { environment: {}, files: {} }),
      label: labelOf(record.tags, record.name),
    };
  }
}

interface AskedGroup {
  readonly tags?: Readonly<Record<string, string>>;
  readonly properties?: {
    readonly containers?: readonly {
      readonly properties?: {
        readonly environmentVariables?: readonly { name: string; value?: string; secureValue?: string }[];
      };
    }[];
    readonly volumes?: readonly { readonly name: string; readonly secret?: Readonly<Record<string, string>> }[];
  };
}

function secretsIn({ properties = {} }: AskedGroup): Pick<ArmGroup, 'environment' | 'files'> {
  const variables = properties.containers?.[0]?.properties?.environmentVariables ?? [];
  const files = (properties.volumes ?? []).flatMap(({ name, secret = {} }) =>
    Object.entries(secret).map(([file, content]) => [`${name}/${file}`, Buffer.from(content, 'base64').toString()]),
  );
  return {
    environment: Object.fromEntries(
      variables.map(({ name, value, secureValue }) => [name, value ?? secureValue ?? '']),
    ),
    files: Object.fromEntries(files),
  };
}

const signatureOf = (record: GroupRecord): string =>
  [
    record.operationId,
    record.provisioningState,
    record.ip ?? '',
    ...record.containers.map((c) => `${c.condition} ${c.current.state} ${c.restartCount} ${c.ready}`),
  ].join('\n');

function labelOf(tags: Readonly<Record<string, string>>, name: string): string {
  const parts = ['app', 'service', 'slot', 'incarnation'].map((tag) => tags[`flotilla-${tag}`]);
  return parts.every((part) => part !== undefined) ? parts.join('/') : name;
}

/** A list from which every second entry is missing, as when a page is lost behind a broken link. */
function shortened(response: CoreResponse): CoreResponse {
  if (response.status !== 200) return response;
  const body = JSON.parse(response.body) as { value?: unknown[] };
  if (!Array.isArray(body.value)) return response;
  return { ...response, body: JSON.stringify({ ...body, value: body.value.filter((_, index) => index % 2 === 1) }) };
}
