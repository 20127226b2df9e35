import type { Node, NodeAPI } from 'node-red';

/** A node as a person finds it in the editor: its name or type, its id, its flow. */
export function whichNode(red: NodeAPI, { name, type, id, z }: Node): string {
  let flow: string | undefined;
  red.nodes.eachNode((def) => {
    // Tabs have a label where nodes have a name.
    if (def.id === z) flow = (def as { readonly label?: string }).label;
  });
  return [`"${[name, type].find(Boolean) ?? ''}"`, `id ${id}`, ...(flow ? [`flow "${flow}"`] : [])].join(', ');
}
