/**
 * Azurite's Table service in memory on a port of the system's choice: its own command announces port 0 as it was given. Prints one line,
 * the address of the published account, and ends when its standard input closes, so it does not outlive the process that asked for it.
 */
const TableConfiguration = require('azurite/dist/src/table/TableConfiguration').default;
const TableServer = require('azurite/dist/src/table/TableServer').default;

const inMemory = new TableConfiguration(
  '127.0.0.1',
  0,
  undefined,
  'unused',
  false, // debug log
  false, // access log
  undefined,
  undefined,
  false, // loose: refuse what is not modelled
  true, // take the client's API version whatever it is
  '',
  '',
  '',
  undefined,
  false,
  true,
);
const server = new TableServer(inMemory);

process.stdin.resume().on('end', () => process.exit(0));
server.start().then(
  () => console.log(`${server.getHttpServerAddress()}/devstoreaccount1`),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
