/** The images that a Compose file needs, asked of the CLI: it alone reads such files, and complains about them when it brings them up. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** `cli` is the path of its module. Nothing is known of a file that cannot be read. */
export async function imagesOf(cli: string, file: string): Promise<readonly string[]> {
  const child = spawn(process.execPath, [cli, 'config', '--json', '--file', file], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number | null]>]);
  if (code !== 0) return [];
  const { services = {} } = JSON.parse(printed) as { services?: Record<string, { image?: string }> };
  const images = Object.values(services).flatMap(({ image }) => image ?? []);
  return [...new Set(images)];
}
