package io.github.loragraph.lora;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * The adapter of one Linear as it stands in a graph: two initializers and a scale, and at each site
 * {@code MatMul(x, lora_A)}, {@code Mul(., alpha/r)}, {@code MatMul(., lora_B)} and the {@code Add}
 * that joins it to the Linear. The scale is multiplied in where the values are r wide, which costs
 * next to nothing.
 *
 * @param path the module path of the Linear
 * @param joints the {@code Add} nodes, one for each site
 */
record Adapter(String path, Tensor a, Tensor b, double scale, List<Node> joints) {
  /** What the output of an adapted Linear without its adapter is called, after the path. */
  static final String BASE = ".lora_base";

  private static final String A = ".lora_A";
  private static final String B = ".lora_B";
  private static final String SCALE = ".lora_scale";

  static String nameOfA(String path) {
    return path + A;
  }

  static String nameOfB(String path) {
    return path + B;
  }

  static String nameOfScale(String path) {
    return path + SCALE;
  }

  /** Whether an initializer is lora_A or lora_B of some adapter. */
  static boolean isAdapterWeight(String name) {
    return name.endsWith(A) || name.endsWith(B);
  }

  /** Whether an initializer belongs to some adapter. */
  static boolean isPartOfAdapter(String name) {
    return isAdapterWeight(name) || name.endsWith(SCALE);
  }

  /**
   * Puts an adapter beside one site of a Linear. What made the Linear's output makes {@link #BASE}
   * from now on, and the joint makes the output, so that no reader has to change.
   *
   * @param number 0 at the first site of the Linear
   */
  static void addTo(Graph graph, String path, Linear.Site site, int number) {
    String suffix = number == 0 ? "" : "_" + number;
    String scope = "/" + path.replace('.', '/');
    String base = path + BASE + suffix;
    String small = path + A + "_output" + suffix;
    String scaled = path + SCALE + "_output" + suffix;
    String delta = path + B + "_output" + suffix;
    Node last = site.last();
    Node renamed = last.withOutput(0, base);
    graph.replace(last, renamed);
    List<Node> nodes =
        List.of(
            node(scope + "/lora_A/MatMul" + suffix, "MatMul", site.input(), path + A, small),
            node(scope + "/lora_scale/Mul" + suffix, "Mul", small, path + SCALE, scaled),
            node(scope + "/lora_B/MatMul" + suffix, "MatMul", scaled, path + B, delta),
            node(scope + "/lora_Add/Add" + suffix, "Add", base, delta, site.output()));
    Node anchor = renamed;
    for (Node node : nodes) {
      graph.insertAfter(anchor, node);
      anchor = node;
    }
  }

  private static Node node(String name, String op, String a, String b, String output) {
    return Node.of(name, op, List.of(a, b), List.of(output));
  }

  /** The module paths of all adapters of a graph, by the tensors that each has. */
  static Stream<String> paths(Graph graph) {
    return graph.initializers().keySet().stream()
        .filter(name -> name.endsWith(A))
        .map(name -> name.substring(0, name.length() - A.length()))
        .filter(path -> graph.initializer(nameOfB(path)) != null)
        .filter(path -> graph.initializer(nameOfScale(path)) != null);
  }

  /**
   * Refuses an adapter whose tensors are not those of what is said of it.
   *
   * @throws LoraGraphException if one is missing, or of another type, size or scale
   */
  static void check(Graph graph, LoraMetadata.Target target) {
    String path = target.path();
    Tensor a = graph.initializer(nameOfA(path));
    Tensor b = graph.initializer(nameOfB(path));
    Tensor scale = graph.initializer(nameOfScale(path));
    if (a == null || b == null || scale == null) {
      throw damaged(path, "its lora_A, lora_B or lora_scale is missing");
    }
    for (Tensor tensor : List.of(a, b, scale)) {
      if (tensor.elementType() != ElementType.FLOAT) {
        throw damaged(path, "it is of type %s, not FLOAT".formatted(tensor.elementType()));
      }
    }
    if (a.rank() != 2 || b.rank() != 2 || a.dim(1) != b.dim(0) || a.dim(1) != target.rank()) {
      throw damaged(path, "its sizes are not those of rank " + target.rank());
    }
    float stated = (float) (target.alpha() / target.rank());
    if (scale.elementCount() != 1 || scale.toFloats()[0] != stated) {
      throw damaged(path, "its lora_scale is not alpha / rank, " + stated);
    }
  }

  /**
   * Finds an adapter by the structure that {@link #addTo} leaves.
   *
   * @throws LoraGraphException if it is not there, or not whole
   */
  static Adapter of(Graph graph, LoraMetadata.Target target) {
    check(graph, target);
    String path = target.path();
    Tensor a = Objects.requireNonNull(graph.initializer(nameOfA(path)));
    Tensor b = Objects.requireNonNull(graph.initializer(nameOfB(path)));
    List<Node> joints = new ArrayList<>();
    for (Node down : graph.consumers(a.name())) {
      Node scaled = only(graph, down, "Mul", path);
      Node up = only(graph, scaled, "MatMul", path);
      Node joint = only(graph, up, "Add", path);
      boolean asMade =
          down.is("MatMul")
              && down.input(1).equals(a.name())
              && scaled.inputs().equals(List.of(down.output(0), nameOfScale(path)))
              && up.inputs().equals(List.of(scaled.output(0), b.name()))
              && joint.input(1).equals(up.output(0))
              && graph.producer(joint.input(0)) != null;
      if (!asMade) {
        throw damaged(path, "its nodes were changed");
      }
      joints.add(joint);
    }
    if (joints.isEmpty()) {
      throw damaged(path, "nothing reads its lora_A");
    }
    return new Adapter(path, a, b, target.alpha() / target.rank(), joints);
  }

  private static Node only(Graph graph, Node node, String reader, String path) {
    List<Node> readers = graph.consumers(node.output(0));
    if (readers.size() != 1 || !readers.get(0).is(reader)) {
      throw damaged(path, "its nodes were changed");
    }
    return readers.get(0);
  }

  private static LoraGraphException damaged(String path, String what) {
    return new LoraGraphException(
        "the adapter of '%s' is damaged (%s): start from the original model again"
            .formatted(path, what));
  }

  /** Takes the adapter out: what made {@link #BASE} makes the Linear's output again. */
  void removeFrom(Graph graph) {
    for (Node joint : joints) {
      Node up = graph.requireProducer(joint.input(1));
      Node scaled = graph.requireProducer(up.input(0));
      Node down = graph.requireProducer(scaled.input(0));
      graph.removeAll(List.of(joint, up, scaled, down));
      Node last = graph.requireProducer(joint.input(0));
      graph.replace(last, last.withOutput(0, joint.output(0)));
    }
    for (String name : List.of(nameOfA(path), nameOfB(path), nameOfScale(path))) {
      graph.removeInitializer(name);
    }
  }
}
