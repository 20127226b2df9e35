import { createAmiClient, createAsteriskManagerClient } from '../../../lib/ami';
import { createSimulator } from '../../../lib/simulator';
import { describeAmiClient, type AmiServerUnderTest } from '../../support/ami-conformance';

async function server(): Promise<AmiServerUnderTest> {
  const simulator = createSimulator();
  return { ...(await simulator.start()), stop: () => simulator.stop() };
}

describeAmiClient('AMI client, built in, against the simulator', { makeClient: createAmiClient, server });

describeAmiClient('AMI client over asterisk-manager, against the simulator', {
  makeClient: createAsteriskManagerClient,
  server,
  gaps: ['amiVersion', 'header names as sent'],
});
