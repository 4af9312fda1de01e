/**
 * How a client on this machine gets at the key of a platform that runs here: the platform leaves it in the user's own directory, by the port of
 * its API, and takes it away when it ends. What belongs to Azure is configured instead (`FLOTILLA_KEY`).
 */
import { z } from 'zod';

/** Where the CLI and the embedded platform keep what belongs to the user: `FLOTILLA_HOME`, else `.flotilla` in the home directory. */
export const userDirectory = (
  environment: Readonly<Record<string, string | undefined>>,
  homeDirectory: string,
): string => environment['FLOTILLA_HOME'] || `${homeDirectory}/.flotilla`;

/** The file of the platform whose API is at this port of the loopback. */
export const loopbackAccessPath = (directory: string, port: number): string => `${directory}/loopback/${port}.json`;

/** What the file holds. */
export const accessSchema = z.object({
  /** Without `/api/v1`. */
  api: z.string(),
  /** Opens the API. */
  key: z.string().min(1),
  /** Address of the fault console, without `/control`. */
  console: z.string().optional(),
  /** File with the certificate (PEM) that signs what the platform's ARM shows, for `wss://` addresses that it names. */
  ca: z.string().optional(),
  /** Connection string of its Service Bus, for other programs. */
  serviceBus: z.string().optional(),
});
export type ApiAccess = z.output<typeof accessSchema>;
