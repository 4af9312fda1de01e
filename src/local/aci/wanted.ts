/** What a container engine should have of the real groups: derived from the records, never stored, as `endpoints.ts` is for modelled ones. Pure. */
import { isCutOff } from './capacity.ts';
import type { RegionState } from './faults.ts';
import { isPrepared } from './init-containers.ts';
import {
  allContainers,
  type GroupRecord,
  isReal,
  type ProbeRecord,
  type ProcessSpec,
  type RegistryRecord,
  type VolumeRecord,
} from './model.ts';

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
  readonly volumes: readonly VolumeRecord[];
  readonly registries: readonly RegistryRecord[];
  /** The address that its containers share; absent = one that nobody is told. */
  readonly address?: string;
  /** Its containers run, but nobody reaches them. */
  readonly cutOff: boolean;
  readonly containers: readonly WantedContainer[];
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
    registries: group.registries ?? [],
    ...(group.ip !== undefined && { address: group.ip }),
    cutOff: isCutOff(group, regions),
    containers: allContainers(group).flatMap(wantedContainer),
  }));
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
