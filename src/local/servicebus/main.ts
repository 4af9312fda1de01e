/** The broker as a process of its own: started with a `BrokerOptions` as JSON, ready with its port and connection string. */
import { dirname } from 'node:path';
import { runChild } from '../child.ts';
import { claimPart } from '../data-dir.ts';
import { type BrokerOptions, startBroker } from './broker.ts';

runChild(async (options: Omit<BrokerOptions, 'clock'>) => {
  const claim = claimPart(dirname(options.dataPath), 'broker');
  const { port, connectionString, close } = await startBroker(options);
  return { ready: { port, connectionString }, close: () => close().finally(claim.release) };
});
