/** Starts and stops a Service Bus namespace of declared queues and topics on one address: wires store, entities and the AMQP front. */
import { randomUUID } from 'node:crypto';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { systemClock } from '../system-clock.ts';
import type { SharedAccessKey } from './cbs.ts';
import { openEntities } from './entities.ts';
import { createFront } from './front.ts';
import { type BrokerOptions, checkOptions } from './options.ts';
import { Store } from './store.ts';

export type { BrokerOptions } from './options.ts';

export interface Broker {
  readonly port: number;
  /** For `new ServiceBusClient(...)`. */
  readonly connectionString: string;
  /** Drops all connections and closes the file. */
  close(): Promise<void>;
}

/** @throws When the configuration is wrong (all problems in one message) or the port is taken. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const problems = checkOptions(options);
  if (problems.length > 0) throw new Error(`The broker's configuration is wrong:\n${problems.join('\n')}`);
  const clock = options.clock ?? systemClock;
  const store = new Store(options.dataPath);
  const entities = openEntities(options, store, clock);
  const serve = createFront({
    key: options.key,
    entityByPath: entities.byPath,
    now: () => clock.now(),
    newMessageId: () => randomUUID().replaceAll('-', ''),
  });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    serve(socket);
  });
  const address = options.address ?? '127.0.0.1';
  try {
    await listen(server, options.port, address);
  } catch (error) {
    await store.close();
    throw new Error(`The broker cannot listen on ${address}:${options.port}: ${String(error)}. Choose another port.`);
  }
  const { port } = server.address() as AddressInfo;
  return {
    port,
    connectionString: connectionString(address, port, options.key),
    close: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      });
      entities.close();
      await store.close();
    },
  };
}

const listen = (server: Server, port: number, address: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });

const connectionString = (address: string, port: number, key: SharedAccessKey): string =>
  `Endpoint=sb://${address}:${port};SharedAccessKeyName=${key.name};SharedAccessKey=${key.value};UseDevelopmentEmulator=true;`;
