/**
 * Whether this machine reaches containers by their address: tried on one, because what a daemon calls itself does not tell. Docker in a virtual
 * machine, in a network namespace of its own, or shared with a container that this process runs in looks like any other from its socket.
 */
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import type Docker from 'dockerode';
import { sandboxOptions } from './containers.ts';
import { unless } from './failure.ts';
import type { Owner } from './labels.ts';
import { isWithin, lastOwnAddress, networkName } from './network.ts';

/** Nothing listens there, so the network stack of a container refuses at once. */
const PORT = 9;
/** A bridge answers within a millisecond; a busy machine takes longer. */
const ANSWER_MS = 500;
const ATTEMPTS = 6;

/** Undefined = reached; else in words what happened. The network of `owner` must be there. @throws what the engine refuses. */
export async function reachProblem(docker: Docker, owner: Owner, subnet: string): Promise<string | undefined> {
  const address = lastOwnAddress(subnet);
  const spec = { uid: 'reach', group: 'reach', address, volumes: [], files: {}, digest: '' };
  const options = sandboxOptions(owner, networkName(owner), spec);
  const probe = docker.getContainer(options.name ?? '');
  const remove = () => unless([404, 409], probe.remove({ force: true }));
  await remove();
  try {
    await docker.createContainer(options);
    await probe.start();
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (!hasPartIn(subnet)) await setTimeout(ANSWER_MS / 5);
      else if (await answers(address)) return undefined;
    }
    if (!hasPartIn(subnet)) return `this machine has no part in their network ${subnet}`;
    return `a container at ${address} does not answer this machine`;
  } finally {
    await remove();
  }
}

/** Elsewhere a router may answer for anybody. A bridge counts as soon as something is attached to it. */
const hasPartIn = (subnet: string): boolean =>
  Object.values(networkInterfaces()).some((own) => own?.some(({ address }) => isWithin(subnet, address)));

/** A refusal is an answer: only the container's own network stack gives it. */
function answers(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: PORT });
    socket.setTimeout(ANSWER_MS, () => done(false));
    const done = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', () => done(true));
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code === 'ECONNREFUSED'));
  });
}
