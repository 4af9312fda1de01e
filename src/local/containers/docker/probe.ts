/** One probe of a real container: a command inside it, or a request to the group's address. Problems in the kubelet's words. */
import { get } from 'node:http';
import type { RunSeen } from '../../../docker/containers.ts';
import type { GroupEngine } from '../../../docker/engine.ts';
import type { WantedProbe } from '../../aci/wanted.ts';

/** Undefined = it passed. @throws when the engine is not reached. */
export async function answerProbe(
  engine: Pick<GroupEngine, 'exec'>,
  probe: WantedProbe,
  run: RunSeen,
  address: string | undefined,
): Promise<string | undefined> {
  if ('http' in probe.test) return answerHttp(probe.test.http, address, probe.timeoutMs);
  const command = probe.test.exec;
  const timedOut = `command ${JSON.stringify(command.join(' '))} timed out after ${probe.timeoutMs / 1000}s`;
  if (run.state === 'paused') {
    // The engine refuses to execute anything in frozen containers; to the prober that is a command that never ends.
    await new Promise((resolve) => setTimeout(resolve, probe.timeoutMs));
    return timedOut;
  }
  const answer = await engine.exec(run.id, command, probe.timeoutMs);
  if ('timedOut' in answer) return timedOut;
  if ('refused' in answer) return answer.refused;
  if (answer.exitCode === 0) return undefined;
  const said = answer.output.trim();
  return said === '' ? `command exited with code ${answer.exitCode}` : said;
}

function answerHttp(
  { port, path }: { readonly port: number; readonly path: string },
  address: string | undefined,
  timeoutMs: number,
): Promise<string | undefined> {
  const where = `Get "http://${address ?? 'localhost'}:${port}${path}"`;
  if (address === undefined) return Promise.resolve(`${where}: dial tcp: network is unreachable`);
  return new Promise((resolve) => {
    const request = get({ host: address, port, path, agent: false, headers: { 'user-agent': 'kube-probe/1.0' } });
    const timer = setTimeout(() => {
      resolve(`${where}: context deadline exceeded (Client.Timeout exceeded while awaiting headers)`);
      request.destroy();
    }, timeoutMs);
    request.once('response', (response) => {
      const { statusCode = 0 } = response;
      response.destroy();
      clearTimeout(timer);
      const passed = statusCode >= 200 && statusCode < 400;
      resolve(passed ? undefined : `HTTP probe failed with statuscode: ${statusCode}`);
    });
    request.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      resolve(`${where}: ${wordsOf(error, `${address}:${port}`)}`);
    });
  });
}

function wordsOf(error: NodeJS.ErrnoException, to: string): string {
  switch (error.code) {
    case 'ECONNREFUSED':
      return `dial tcp ${to}: connect: connection refused`;
    case 'EHOSTUNREACH':
      return `dial tcp ${to}: connect: no route to host`;
    case 'ECONNRESET':
      return 'EOF';
    default:
      return error.message;
  }
}
