package io.github.loragraph.onnx;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;

/**
 * The order of a graph's nodes. The ONNX IR specification demands that a value is made before it is
 * read; some writers do not, and ONNX Runtime sorts what they write.
 */
final class NodeOrder {
  private NodeOrder() {}

  /**
   * The nodes so that each reads only what stands before it; those that stood so already stay where
   * they are. Time grows in proportion to the nodes.
   *
   * @param given the values that no node makes
   * @throws IllegalArgumentException if a value is read that nothing makes, or nodes read each
   *     other in a circle
   */
  static List<Node> sorted(List<Node> nodes, Set<String> given) {
    Map<String, Integer> makers = new HashMap<>();
    for (int i = 0; i < nodes.size(); i++) {
      for (String output : nodes.get(i).outputs()) {
        makers.put(output, i);
      }
    }
    List<List<Integer>> readers = new ArrayList<>();
    nodes.forEach(n -> readers.add(new ArrayList<>()));
    int[] waiting = new int[nodes.size()];
    for (int i = 0; i < waiting.length; i++) {
      for (String input : nodes.get(i).reads()) {
        Integer maker = given.contains(input) ? null : makers.get(input);
        if (maker != null) {
          readers.get(maker).add(i);
          waiting[i]++;
        } else if (!given.contains(input)) {
          throw new IllegalArgumentException(
              "node '%s' (%s) reads '%s', which nothing makes"
                  .formatted(nodes.get(i).name(), nodes.get(i).opType(), input));
        }
      }
    }
    PriorityQueue<Integer> ready = new PriorityQueue<>();
    for (int i = 0; i < waiting.length; i++) {
      if (waiting[i] == 0) {
        ready.add(i);
      }
    }
    List<Node> sorted = new ArrayList<>(nodes.size());
    while (!ready.isEmpty()) {
      int next = ready.remove();
      sorted.add(nodes.get(next));
      for (int reader : readers.get(next)) {
        if (--waiting[reader] == 0) {
          ready.add(reader);
        }
      }
    }
    if (sorted.size() < nodes.size()) {
      for (int i = 0; i < waiting.length; i++) {
        if (waiting[i] > 0) {
          throw new IllegalArgumentException(
              "node '%s' (%s) reads what is made from its own output"
                  .formatted(nodes.get(i).name(), nodes.get(i).opType()));
        }
      }
    }
    return sorted;
  }
}
