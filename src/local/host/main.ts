/** The Functions host as a process of the embedded platform: forked with its configuration, ready with its port and address. */
import { runChild } from '../child.ts';
import { claimPart } from '../data-dir.ts';
import { createFunctionsHost } from './functions-host.ts';
import type { LogSink } from './invoke.ts';
import { defaultKeyName } from './keys.ts';

interface HostConfig {
  readonly appDir: string;
  readonly dataDir?: string;
  readonly port: number;
  /** App settings, put into the environment before the app is loaded. */
  readonly env?: Readonly<Record<string, string>>;
  readonly activityLeaseMs?: number;
}

/** One line per log line: levels below warning to stdout, the others to stderr. */
const log: LogSink = ({ level, category, message, functionName, invocationId }) => {
  if (level === 'trace' || level === 'debug') return;
  const where = functionName === undefined ? category : `${functionName}${invocationId ? ` ${invocationId}` : ''}`;
  const severe = level === 'warning' || level === 'error' || level === 'critical';
  (severe ? process.stderr : process.stdout).write(`${level} [${where}] ${message}\n`);
};

runChild(async ({ env, ...config }: HostConfig) => {
  Object.assign(process.env, env);
  const claim = config.dataDir === undefined ? undefined : claimPart(config.dataDir, 'host');
  const host = await createFunctionsHost({ ...config, log });
  return {
    ready: {
      port: host.port,
      url: host.url,
      apiKey: host.keys.list('host')[defaultKeyName],
      eventsKey: host.keys.extension('eventgrid'),
    },
    close: () => host.close().finally(() => claim?.release()),
  };
});
