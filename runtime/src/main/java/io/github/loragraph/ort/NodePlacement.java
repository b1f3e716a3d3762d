package io.github.loragraph.ort;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.ops.Trait;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * On which execution provider each node of a session ran.
 *
 * <p>A <b>compute node</b> is one that reads or writes the elements of a tensor of more than
 * {@value #SHAPE_ARITHMETIC} elements, whatever their type. What is not is shape arithmetic, and so
 * on: it belongs on the CPU, where ONNX Runtime puts it on purpose. Outputs alone would not do: a
 * gradient norm reads whole matrices and gives one number, and on the wrong side it costs a copy of
 * them. {@code Shape} and {@code Size} read no elements, so only their outputs count. Outputs that
 * are no tensors have no shape in a profile: such a node is judged by its inputs. {@code Loop},
 * {@code If} and {@code Scan} count as nodes, as they carry state; the nodes in their bodies have
 * events of their own, once for each round, and are one node each.
 */
public final class NodePlacement {
  /** The largest number of elements of what may be shape arithmetic. */
  public static final long SHAPE_ARITHMETIC = 64;

  /** As profiles name it. */
  public static final String CPU = "CPUExecutionProvider";

  /** As profiles name it. */
  public static final String CUDA = "CUDAExecutionProvider";

  private static final int NAMED = 3;

  /**
   * A node that ran.
   *
   * @param elements of the largest tensor that makes it a compute node or not
   * @param copies whether it copies between host and device
   */
  public record PlacedNode(
      String name, String operator, String provider, long elements, boolean copies) {
    boolean computes() {
      return elements > SHAPE_ARITHMETIC && !copies;
    }
  }

  private final Map<List<String>, PlacedNode> nodes = new LinkedHashMap<>();

  private NodePlacement() {}

  /** Of what a session recorded. */
  public static NodePlacement of(SessionProfile profile) {
    NodePlacement placement = new NodePlacement();
    for (SessionProfile.NodeRun run : profile.nodes()) {
      // Names repeat in bodies, and a body counts its nodes anew.
      placement.nodes.merge(
          List.of(run.name(), run.operator(), run.index(), run.provider()),
          new PlacedNode(run.name(), run.operator(), run.provider(), elements(run), run.isCopy()),
          (a, b) -> a.elements() >= b.elements() ? a : b);
    }
    return placement;
  }

  private static long elements(SessionProfile.NodeRun run) {
    long written = largest(run.outputs());
    return Operators.all().has(run.operator(), Trait.READS_SHAPE)
        ? written
        : Math.max(written, largest(run.inputs()));
  }

  private static long largest(List<long[]> shapes) {
    long largest = 0;
    for (long[] shape : shapes) {
      long elements = 1;
      for (long size : shape) {
        elements *= size;
      }
      largest = Math.max(largest, elements);
    }
    return largest;
  }

  /** All nodes that ran, each once. */
  public List<PlacedNode> nodes() {
    return List.copyOf(nodes.values());
  }

  /** The number of compute nodes by provider. */
  public Map<String, Integer> computeNodes() {
    Map<String, Integer> counts = new TreeMap<>();
    for (PlacedNode node : nodes.values()) {
      if (node.computes()) {
        counts.merge(node.provider(), 1, Integer::sum);
      }
    }
    return counts;
  }

  /** The compute nodes that ran elsewhere than on a provider. */
  public List<PlacedNode> fallenFrom(String provider) {
    return nodes.values().stream()
        .filter(node -> node.computes() && !node.provider().equals(provider))
        .toList();
  }

  /**
   * Holds that all compute nodes ran on a provider.
   *
   * @throws LoraGraphException if some did not; it names the first of them
   */
  public void requireAllOn(String provider) {
    List<PlacedNode> fallen = fallenFrom(provider);
    if (fallen.isEmpty()) {
      return;
    }
    String first =
        fallen.stream()
            .limit(NAMED)
            .map(n -> "'%s' (%s, on %s)".formatted(n.name(), n.operator(), n.provider()))
            .collect(Collectors.joining(", "));
    throw new LoraGraphException(
        "%,d of %,d compute nodes did not run on %s: %s%s"
            .formatted(
                fallen.size(),
                computeNodes().values().stream().mapToInt(Integer::intValue).sum(),
                provider,
                first,
                fallen.size() > NAMED ? " and others" : ""));
  }
}
