/** What a container engine should have of the real groups: derived from the records, never stored, as `endpoints.ts` is for modelled ones. Pure. */
import type { VolumeSpec } from '../../docker/volumes.ts';
import { isCutOff } from './capacity.ts';
import type { RegionState } from './faults.ts';
import { isPrepared } from './init-containers.ts';
import { isObject, objects, strings } from './json.ts';
import { allContainers, type GroupRecord, isReal, type ProbeRecord, type ProcessSpec } from './model.ts';

export interface WantedGroup {
  readonly uid: string;
  readonly name: string;
  readonly location: string;
  /** Nothing of it should be left. */
  readonly deleting: boolean;
  /** It holds nothing until it is started: no address, no volumes. */
  readonly stopped: boolean;
  /** Something in its volumes was made that would have to be made again. */
  readonly prepared: boolean;
  readonly volumes: readonly VolumeSpec[];
  /** `GroupSecrets`, sealed; absent = it has none. */
  readonly secrets?: string;
  /** Ordinal of the host that it is on: nothing in its volumes comes along to another. */
  readonly host: number;
  /** The address that its containers share; absent = one that nobody is told. */
  readonly address?: string;
  /** Of a group in a virtual network. */
  readonly dns?: WantedDns;
  /** Its containers run, but nobody reaches them. */
  readonly cutOff: boolean;
  readonly containers: readonly WantedContainer[];
}

export interface WantedDns {
  /** Id of the virtual network, in lower case. */
  readonly network: string;
  /** Asked before the network's own resolver. */
  readonly nameServers: readonly string[];
  readonly searchDomains: readonly string[];
  readonly options: readonly string[];
}

export interface WantedContainer {
  readonly name: string;
  readonly image: string;
  readonly process: ProcessSpec;
  /** `image`: fetch it; `run`: run `run` should be there; `nothing`: no run should. */
  readonly need: 'image' | 'run' | 'nothing';
  readonly run: number;
  /** Run `run` was seen: if it is not there any more, it ended. */
  readonly seen: boolean;
  /** Its processes should be stopped in their tracks. */
  readonly frozen: boolean;
  readonly probes: readonly WantedProbe[];
}

export interface WantedProbe {
  readonly kind: 'liveness' | 'readiness';
  /** Names the question; the answer carries it. */
  readonly asked: number;
  readonly test: ProbeRecord['test'];
  readonly timeoutMs: number;
}

export function wantedOf(
  groups: readonly GroupRecord[],
  regions: Readonly<Record<string, RegionState>>,
): readonly WantedGroup[] {
  return groups.filter(isReal).map((group) => ({
    uid: group.uid,
    name: group.name,
    location: group.location,
    deleting: group.provisioningState === 'Deleting',
    stopped: group.stopped !== undefined,
    prepared: isPrepared(group),
    volumes: group.volumes ?? [],
    ...(group.secrets !== undefined && { secrets: group.secrets }),
    host: group.moves ?? 0,
    ...(group.ip !== undefined && { address: group.ip }),
    ...dnsOf(group),
    cutOff: isCutOff(group, regions),
    containers: allContainers(group).flatMap(wantedContainer),
  }));
}

/** Without a virtual network there are no private zones, and no name servers of one's own. */
function dnsOf({ properties }: GroupRecord): Pick<WantedGroup, 'dns'> {
  const subnet = String(objects(properties['subnetIds'])[0]?.['id'] ?? '').toLowerCase();
  if (subnet === '') return {};
  const given = isObject(properties['dnsConfig']) ? properties['dnsConfig'] : {};
  const words = (text: unknown) =>
    String(text ?? '')
      .split(/\s+/)
      .filter((word) => word !== '');
  return {
    dns: {
      network: subnet.replace(/\/subnets\/[^/]*$/, ''),
      nameServers: strings(given['nameServers']),
      searchDomains: words(given['searchDomains']),
      options: words(given['options']),
    },
  };
}

function wantedContainer(container: GroupRecord['containers'][number]): WantedContainer[] {
  if (!('process' in container.behaviour)) return [];
  const { name, image, run, current, launching, condition } = container;
  const seen = current.state === 'Running';
  const pulling = current.state === 'Waiting' && current.detailStatus === PULLING;
  return [
    {
      name,
      image,
      process: container.behaviour.process,
      need: seen || launching ? 'run' : pulling ? 'image' : 'nothing',
      run,
      seen,
      frozen: condition === 'hung',
      probes: (['liveness', 'readiness'] as const).flatMap((kind) => {
        const probe = container[kind];
        if (!seen || probe?.asked === undefined) return [];
        return [{ kind, asked: probe.asked, test: probe.test, timeoutMs: probe.timeoutMs }];
      }),
    },
  ];
}

/** `detailStatus` of a container whose image is being fetched. */
export const PULLING = 'Pulling image';
