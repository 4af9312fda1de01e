/** `ports` and `expose` → the ports a container group listens on. ACI maps none: what the container listens on is what the address answers on. */

import { isIP } from 'node:net';
import type { Port } from '../model/app-spec.ts';
import { limits } from '../model/limits.ts';
import { isObject, joinPath } from './json.ts';
import type { Report } from './report.ts';

/** Ports that ACI's platform uses itself. Source: ACI FAQ, 2024-08 (`reserved ports`). */
const platformPorts: readonly (readonly [number, number])[] = [
  [22, 22],
  [1025, 1027],
  [3389, 3399],
  [9999, 9999],
  [19000, 19000],
  [19080, 19080],
  [19100, 19100],
  [19390, 19390],
  [20000, 30000],
  [49152, 65534],
];

/** Ascending by number, then protocol; each once. */
export function readPorts(service: Readonly<Record<string, unknown>>, path: string, report: Report): readonly Port[] {
  const found = new Map<string, Port>();
  for (const key of ['ports', 'expose'] as const) {
    const list = service[key];
    if (!Array.isArray(list)) continue;
    list.forEach((item, index) => {
      const place = joinPath(path, key, index);
      const ports = isObject(item) ? readLongForm(item, place, report) : readShortForm(item, key, place, report);
      for (const port of ports) {
        if (!found.has(`${port.port}/${port.protocol}`)) warnAboutPlatformPort(port.port, place, report);
        found.set(`${port.port}/${port.protocol}`, port);
      }
    });
  }
  const ports = [...found.values()].sort(
    (left, right) => left.port - right.port || (left.protocol < right.protocol ? -1 : 1),
  );
  if (ports.length > limits.aci.portsPerGroup) {
    refuseCount(ports.length, joinPath(path, service['ports'] === undefined ? 'expose' : 'ports'), report);
  }
  return ports;
}

const shortForm = /^(?:(?<published>.*):)?(?<first>\d+)(?:-(?<last>\d+))?(?:\/(?<protocol>[A-Za-z]+))?$/;

/** `[[IP:]PUBLISHED:]PORT[-PORT][/PROTOCOL]`; `expose` has no published part. */
function readShortForm(item: unknown, key: 'ports' | 'expose', place: string, report: Report): readonly Port[] {
  if (typeof item !== 'string' && typeof item !== 'number') return [];
  const parts = shortForm.exec(String(item))?.groups;
  if (parts === undefined || (key === 'expose' && parts['published'] !== undefined)) {
    report.refuse(
      place,
      `\`${item}\` is not a port.`,
      key === 'ports'
        ? 'Write `PORT`, `PORT-PORT` or `PUBLISHED:PORT`, each with `/udp` if needed.'
        : 'Write `PORT` or `PORT-PORT`.',
    );
    return [];
  }
  const protocol = readProtocol(parts['protocol'], place, report);
  const first = readPort(parts['first'], place, report);
  const last = parts['last'] === undefined ? first : readPort(parts['last'], place, report);
  if (protocol === undefined || first === undefined || last === undefined) return [];
  if (last < first) {
    report.refuse(place, `the range ${first}-${last} runs backwards.`, `Write \`${last}-${first}\`.`);
    return [];
  }
  const count = last - first + 1;
  if (count > limits.aci.portsPerGroup) {
    refuseCount(count, place, report);
    return [];
  }
  checkPublished(parts['published'], count === 1 ? `${first}` : `${first}-${last}`, place, report);
  return Array.from({ length: count }, (_, offset) => ({ port: first + offset, protocol }));
}

const refuseCount = (count: number, place: string, report: Report): void =>
  report.error(
    place,
    `declares ${count} ports, but a container group has at most ${limits.aci.portsPerGroup}.`,
    'Keep those that others connect to.',
  );

function readLongForm(item: Readonly<Record<string, unknown>>, place: string, report: Report): readonly Port[] {
  if (item['target'] === undefined) {
    report.refuse(place, 'lacks `target`, the port that the container listens on.', 'Add `target`.');
    return [];
  }
  const port = readPort(item['target'], joinPath(place, 'target'), report);
  const protocol = readProtocol(item['protocol'], joinPath(place, 'protocol'), report);
  if (port === undefined || protocol === undefined) return [];
  const published = item['published'];
  if (published !== undefined) checkPublished(String(published), `${port}`, joinPath(place, 'published'), report);
  if (typeof item['host_ip'] === 'string') checkHostAddress(item['host_ip'], joinPath(place, 'host_ip'), report);
  return [{ port, protocol }];
}

/** `8080`, `127.0.0.1:8080`, `[::1]:8080`, `127.0.0.1:` → warnings where the answer is elsewhere. */
function checkPublished(published: string | undefined, target: string, place: string, report: Report): void {
  if (published === undefined) return;
  const parts = /^(?:(.*):)?([\d-]*)$/.exec(published);
  const asked = parts?.[2] ?? '';
  if (parts === null || !/^(\d+(-\d+)?)?$/.test(asked)) {
    report.refuse(
      place,
      `\`${published}\` is not where a port can be published.`,
      'Write `PUBLISHED:PORT` or just `PORT`.',
    );
    return;
  }
  if (parts[1] !== undefined) checkHostAddress(parts[1], place, report);
  if (asked !== '' && asked !== '0' && asked !== target) {
    report.warn(
      place,
      `the address answers on ${target}, not on ${asked}: Azure Container Instances maps no ports.`,
      `Let clients use ${target}, or let the container listen on ${asked} and write \`"${asked}"\`.`,
    );
  }
}

function checkHostAddress(address: string, place: string, report: Report): void {
  const plain = address.replace(/^\[(.*)\]$/, '$1');
  if (['', '0.0.0.0', '::'].includes(plain)) return;
  if (isIP(plain) === 0) {
    report.refuse(place, `\`${address}\` is not an IP address.`, 'Write `PORT` or `PUBLISHED:PORT`.');
    return;
  }
  report.warn(
    place,
    `the host address \`${address}\` is ignored: whoever reaches the container group reaches the port.`,
    'Remove the address; if the port must stay private, place the service in a pool with a private network.',
  );
}

/** A port number, written as such or as text; a wrong type is reported by the schema. */
export function readPort(value: unknown, place: string, report: Report): number | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const port = /^\d+$/.test(String(value)) ? Number(value) : 0;
  if (port >= 1 && port <= 65_535) return port;
  report.refuse(place, `\`${value}\` is not a port.`, 'Write a whole number from 1 to 65535.');
  return undefined;
}

function readProtocol(value: unknown, place: string, report: Report): Port['protocol'] | undefined {
  const protocol = typeof value === 'string' ? value.toUpperCase() : 'TCP';
  if (protocol === 'TCP' || protocol === 'UDP') return protocol;
  report.refuse(place, `\`${value}\` is not a protocol of Azure Container Instances.`, 'Write `tcp` or `udp`.');
  return undefined;
}

function warnAboutPlatformPort(port: number, place: string, report: Report): void {
  const range = platformPorts.find(([first, last]) => first <= port && port <= last);
  if (range === undefined) return;
  const [first, last] = range;
  report.warn(
    place,
    `port ${port} is one that Azure Container Instances reserves for itself (${first === last ? first : `${first}-${last}`}).`,
    'If the group is refused or never answers, let the container listen on another port.',
  );
}
