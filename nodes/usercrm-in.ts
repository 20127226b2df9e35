import type { Node, NodeInitializer } from 'node-red';
import { httpProtocols } from '../lib/protocols';
import { onClose } from './runtime/lifecycle';
import { UserCrmEndpoint } from './runtime/usercrm-endpoint';
import type { UserCrmInCredentials, UserCrmInDef } from './runtime/usercrm-endpoint';

const init: NodeInitializer = (red) => {
  function UserCrmIn(this: Node<UserCrmInCredentials>, def: UserCrmInDef): void {
    red.nodes.createNode(this, def);
    const endpoint = new UserCrmEndpoint(red, this, def);
    onClose(red, this, () => endpoint.close());
  }
  red.nodes.registerType<Node<UserCrmInCredentials>, UserCrmInDef, object, UserCrmInCredentials>(
    'usercrm-in',
    UserCrmIn,
    {
      credentials: { apiKey: { type: 'password' }, applicationToken: { type: 'password' } },
    },
  );

  red.httpAdmin.get(
    '/telephony-crm/http-protocols',
    red.auth.needsPermission('usercrm-in.read'),
    (_request, response) => {
      response.json(Object.entries(httpProtocols).map(([name, { path, methods }]) => ({ name, path, methods })));
    },
  );
};

export default init;
