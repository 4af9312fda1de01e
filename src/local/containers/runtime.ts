/** What runs the containers of the world: stand-ins in this process, or an engine. Both follow what the ARM core says should be there. */
import type { Duplex, Readable } from 'node:stream';
import type { Containers } from '../aci/containers-port.ts';
import type { ArmCore } from '../aci/core.ts';
import type { ArmSettings } from '../aci/settings.ts';
import type { AciStore } from '../aci/store.ts';
import type { RunningContainer, TerminalSize } from '../aci/terminals.ts';
import type { Question, Resolution } from '../dns/resolve.ts';

export type RuntimeKind = 'standin' | 'docker';

export interface ContainerRuntime {
  readonly kind: RuntimeKind;
  /** One sentence for people: what runs containers, and why that. */
  readonly description: string;
  readonly containers: Containers;
  readonly settings: Partial<ArmSettings>;
  /** Called once, before anything else, with the world that it serves. */
  attach(world: RuntimeWorld): void;
  /** Something changed: brings what runs in step with what should. Returns at once. */
  reconcile(): void;
  /**
   * Runs one program, without arguments, on a terminal of its own inside a running container. Reading gives what the terminal shows, raw,
   * and ends with the program or with the container; writing types; destroying it hangs up. A program that cannot start shows why, in the
   * words of the OCI runtime, and ends: so does a container that no longer runs.
   * @throws when the engine is not reached.
   */
  exec(target: RunningContainer, program: string, size: TerminalSize): Promise<Duplex>;
  /**
   * What the container prints from now on, ended by the end of its run; destroying it stops listening.
   * @throws when the engine is not reached.
   */
  attachOutput(target: RunningContainer): Promise<Readable>;
  /** Resolves when nothing is under way. */
  settled(): Promise<void>;
  /** Nothing runs any more when it resolves. */
  close(): Promise<void>;
}

export interface RuntimeWorld {
  readonly core: ArmCore;
  readonly store: AciStore;
  /** A DNS question from inside a virtual network, against the private zones that are linked to it. */
  resolve(question: Question, network: string): Resolution;
  /** Changes the world; resolves when the change is committed. */
  run(change: (now: number) => void): Promise<void>;
}
