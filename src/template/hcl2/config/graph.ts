/** Something that may use others of its kind by name. */
export interface GraphNode {
  readonly name: string;
  /** Names of nodes. */
  readonly uses: readonly string[];
}

export interface GraphOrder<Node> {
  /** Each level uses only what is in those before it. What is in a circle, or uses one, is in none. */
  readonly levels: readonly (readonly Node[])[];
  /** Each once, from its first node in the order given. */
  readonly circles: readonly (readonly Node[])[];
}

/** In which order nodes can be evaluated. */
export function orderGraph<Node extends GraphNode>(nodes: readonly Node[]): GraphOrder<Node> {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const usesOf = ({ uses }: Node): Node[] => [...new Set(uses)].flatMap((name) => byName.get(name) ?? []);
  const levels: Node[][] = [];
  const waitingFor = new Map(nodes.map((node) => [node, usesOf(node).length]));
  const usedBy = new Map<Node, Node[]>(nodes.map((node) => [node, []]));
  for (const node of nodes) for (const used of usesOf(node)) usedBy.get(used)?.push(node);
  let level = nodes.filter((node) => waitingFor.get(node) === 0);
  while (level.length > 0) {
    levels.push(level);
    for (const node of level) waitingFor.delete(node);
    const next: Node[] = [];
    for (const user of level.flatMap((node) => usedBy.get(node) ?? [])) {
      const count = (waitingFor.get(user) ?? 0) - 1;
      waitingFor.set(user, count);
      if (count === 0) next.push(user);
    }
    level = next;
  }
  return { levels, circles: findCircles([...waitingFor.keys()], usesOf) };
}

/** @param nodes each of which uses another one of them. */
function findCircles<Node>(nodes: readonly Node[], usesOf: (node: Node) => readonly Node[]): Node[][] {
  const left = new Set(nodes);
  const told = new Set<Node>();
  const circles: Node[][] = [];
  for (const start of nodes) {
    // From anywhere, following what is left leads into a circle.
    const path: Node[] = [];
    const places = new Map<Node, number>();
    let node: Node | undefined = start;
    while (node !== undefined && !told.has(node) && !places.has(node)) {
      places.set(node, path.length);
      path.push(node);
      node = usesOf(node).find((used) => left.has(used));
    }
    for (const passed of path) told.add(passed);
    const first = node === undefined ? undefined : places.get(node);
    if (first !== undefined) circles.push(path.slice(first));
  }
  return circles;
}
