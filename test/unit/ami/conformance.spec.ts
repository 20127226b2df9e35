import { createAmiClient, createAsteriskManagerClient } from '../../../lib/ami';
import { describeAmiClient, type AmiServerUnderTest } from '../../support/ami-conformance';
import { FakeAmiServer } from '../../support/fake-ami-server';

async function server(): Promise<AmiServerUnderTest> {
  const fake = await FakeAmiServer.start();
  const { host, port, username, secret } = fake;
  return { host, port, username, secret, stop: () => fake.stop(), restart: () => fake.listen() };
}

describeAmiClient('AMI client, built in', { makeClient: (options) => createAmiClient(options), server });

describeAmiClient('AMI client over asterisk-manager', {
  makeClient: (options) => createAsteriskManagerClient(options),
  server,
  gaps: ['amiVersion', 'header names as sent'],
});
