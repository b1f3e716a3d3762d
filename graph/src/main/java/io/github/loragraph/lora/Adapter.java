package io.github.loragraph.lora;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The adapter of one Linear as it stands in a graph: two initializers and a scale, and at each site
 * {@code MatMul(x, lora_A)}, {@code Mul(., scale)}, {@code MatMul(., lora_B)} and the {@code Add}
 * that joins it to the Linear. The scale is multiplied in where the values are r wide, which costs
 * next to nothing. An anchor is taken off in the same way, by a {@code Sub}, before the joint.
 * DoRA's magnitude comes after it ({@link Dora}).
 *
 * @param path the module path of the Linear
 * @param anchor the start that is taken off again; null where there is none
 * @param magnitude DoRA's, FLOAT (out); null where there is none
 * @param joints the {@code Add} nodes, one for each site
 */
record Adapter(
    String path,
    Tensor a,
    Tensor b,
    double scale,
    @Nullable Anchor anchor,
    @Nullable Tensor magnitude,
    List<Node> joints) {
  /** What the output of an adapted Linear without its adapter is called, after the path. */
  static final String BASE = ".lora_base";

  private static final String A = ".lora_A";
  private static final String B = ".lora_B";
  private static final String SCALE = ".lora_scale";
  private static final String MAGNITUDE = ".lora_magnitude_vector";
  private static final String ANCHOR_A = ".lora_A0";
  private static final String ANCHOR_B = ".lora_B0";
  private static final String REST = ".lora_rest";

  /**
   * The frozen start of an adapter.
   *
   * @param a FLOAT (in, r)
   * @param b FLOAT (r, out)
   */
  record Anchor(Tensor a, Tensor b) {}

  static String nameOfA(String path) {
    return path + A;
  }

  static String nameOfB(String path) {
    return path + B;
  }

  static String nameOfScale(String path) {
    return path + SCALE;
  }

  static String nameOfMagnitude(String path) {
    return path + MAGNITUDE;
  }

  static String nameOfAnchorA(String path) {
    return path + ANCHOR_A;
  }

  static String nameOfAnchorB(String path) {
    return path + ANCHOR_B;
  }

  /** The names of all initializers that an adapter of such a variant has. */
  static List<String> names(String path, LoraVariant variant) {
    List<String> names = new ArrayList<>(List.of(path + A, path + B, path + SCALE));
    if (variant.init().isAnchored()) {
      names.addAll(List.of(path + ANCHOR_A, path + ANCHOR_B));
    }
    if (variant.useDora()) {
      names.add(path + MAGNITUDE);
    }
    return names;
  }

  /** Whether an initializer is trained as a part of some adapter. */
  static boolean isAdapterWeight(String name) {
    return name.endsWith(A) || name.endsWith(B) || name.endsWith(MAGNITUDE);
  }

  /** Whether an initializer belongs to some adapter. */
  static boolean isPartOfAdapter(String name) {
    return isAdapterWeight(name)
        || name.endsWith(SCALE)
        || name.endsWith(ANCHOR_A)
        || name.endsWith(ANCHOR_B);
  }

  /**
   * Puts an adapter beside one site of a Linear. What made the Linear's output makes {@link #BASE}
   * from now on, and the last node of the adapter makes the output, so that no reader has to
   * change.
   *
   * @param number 0 at the first site of the Linear
   */
  static void addTo(Graph graph, String path, Linear.Site site, int number, LoraVariant variant) {
    String suffix = number == 0 ? "" : "_" + number;
    String scope = "/" + path.replace('.', '/');
    String base = path + BASE + suffix;
    Node last = site.last();
    Node renamed = last.withOutput(0, base);
    graph.replace(last, renamed);
    List<Node> nodes = new ArrayList<>();
    String joined = base;
    if (variant.init().isAnchored()) {
      String start = product(nodes, path, site.input(), ANCHOR_A, ANCHOR_B, suffix);
      joined = path + REST + suffix;
      nodes.add(node(scope + "/lora_rest/Sub" + suffix, "Sub", base, start, joined));
    }
    String delta = product(nodes, path, site.input(), A, B, suffix);
    String sum = variant.useDora() ? path + Dora.SUM + suffix : site.output();
    nodes.add(node(scope + "/lora_Add/Add" + suffix, "Add", joined, delta, sum));
    if (variant.useDora()) {
      nodes.addAll(Dora.after(path, suffix, site, sum));
    }
    Node anchor = renamed;
    for (Node node : nodes) {
      graph.insertAfter(anchor, node);
      anchor = node;
    }
  }

  /** (x a s) b. */
  private static String product(
      List<Node> nodes, String path, String x, String a, String b, String suffix) {
    String scope = "/" + path.replace('.', '/') + "/";
    String scaleNode = a.equals(A) ? "lora_scale" : "lora_scale0";
    String small = path + a + "_output" + suffix;
    String scaled = path + "." + scaleNode + "_output" + suffix;
    String delta = path + b + "_output" + suffix;
    nodes.add(node(scope + a.substring(1) + "/MatMul" + suffix, "MatMul", x, path + a, small));
    nodes.add(node(scope + scaleNode + "/Mul" + suffix, "Mul", small, path + SCALE, scaled));
    nodes.add(node(scope + b.substring(1) + "/MatMul" + suffix, "MatMul", scaled, path + b, delta));
    return delta;
  }

  static Node node(String name, String op, String a, String b, String output) {
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
  static void check(Graph graph, LoraMetadata.Target target, LoraVariant variant) {
    String path = target.path();
    for (String name : names(path, variant)) {
      Tensor tensor = graph.initializer(name);
      if (tensor == null) {
        throw damaged(path, "its %s is missing".formatted(name.substring(path.length() + 1)));
      }
      if (tensor.elementType() != ElementType.FLOAT) {
        throw damaged(path, "it is of type %s, not FLOAT".formatted(tensor.elementType()));
      }
    }
    for (String name : List.of(path + ANCHOR_A, path + ANCHOR_B, path + MAGNITUDE)) {
      if (graph.initializer(name) != null && !names(path, variant).contains(name)) {
        throw damaged(path, "it has a %s".formatted(name.substring(path.length() + 1)));
      }
    }
    Tensor a = tensor(graph, nameOfA(path));
    Tensor b = tensor(graph, nameOfB(path));
    Tensor scale = tensor(graph, nameOfScale(path));
    if (a.rank() != 2 || b.rank() != 2 || a.dim(1) != b.dim(0) || a.dim(1) != target.rank()) {
      throw damaged(path, "its sizes are not those of rank " + target.rank());
    }
    if (variant.init().isAnchored()
        && !(Arrays.equals(tensor(graph, nameOfAnchorA(path)).dims(), a.dims())
            && Arrays.equals(tensor(graph, nameOfAnchorB(path)).dims(), b.dims()))) {
      throw damaged(path, "its anchor is not of its size");
    }
    if (variant.useDora()
        && !Arrays.equals(tensor(graph, nameOfMagnitude(path)).dims(), new long[] {b.dim(1)})) {
      throw damaged(path, "its magnitudes are not as many as its outputs");
    }
    float stated = (float) variant.scale(target.rank(), target.alpha());
    if (scale.elementCount() != 1 || scale.toFloats()[0] != stated) {
      throw damaged(path, "its lora_scale is not %s, %s".formatted(variant.scaleInWords(), stated));
    }
  }

  private static Tensor tensor(Graph graph, String name) {
    return Objects.requireNonNull(graph.initializer(name), name);
  }

  /**
   * Finds an adapter by the structure that {@link #addTo} leaves.
   *
   * @throws LoraGraphException if it is not there, or not whole
   */
  static Adapter of(Graph graph, LoraMetadata.Target target, LoraVariant variant) {
    check(graph, target, variant);
    String path = target.path();
    Tensor a = tensor(graph, nameOfA(path));
    Tensor b = tensor(graph, nameOfB(path));
    Set<Node> norm = variant.useDora() ? Dora.normNodes(graph, path) : Set.of();
    List<Node> joints = new ArrayList<>();
    for (Node down : graph.consumers(a.name())) {
      if (norm.contains(down)) {
        continue;
      }
      Node joint = only(graph, product(graph, down, nameOfA(path), nameOfB(path), path), path);
      requireAsMade(joint.is("Add") && joint.inputs().size() == 2, path);
      String base = joint.input(0);
      if (variant.init().isAnchored()) {
        Node rest = graph.producer(base);
        requireAsMade(rest != null && rest.is("Sub"), path);
        Node start = graph.producer(Objects.requireNonNull(rest).input(1));
        requireAsMade(start != null && start.input(1).equals(nameOfAnchorB(path)), path);
        base = rest.input(0);
      }
      requireAsMade(graph.producer(base) != null, path);
      if (variant.useDora()) {
        Dora.requireAsMade(graph, path, joint);
      }
      joints.add(joint);
    }
    if (joints.isEmpty()) {
      throw damaged(path, "nothing reads its lora_A");
    }
    return new Adapter(
        path,
        a,
        b,
        variant.scale(target.rank(), target.alpha()),
        variant.init().isAnchored()
            ? new Anchor(tensor(graph, nameOfAnchorA(path)), tensor(graph, nameOfAnchorB(path)))
            : null,
        variant.useDora() ? tensor(graph, nameOfMagnitude(path)) : null,
        joints);
  }

  /** The last node of (x a s) b, where it has just these. */
  private static Node product(Graph graph, Node down, String a, String b, String path) {
    Node scaled = only(graph, down, path);
    Node up = only(graph, scaled, path);
    requireAsMade(
        down.is("MatMul")
            && down.input(1).equals(a)
            && scaled.is("Mul")
            && scaled.inputs().equals(List.of(down.output(0), nameOfScale(path)))
            && up.is("MatMul")
            && up.inputs().equals(List.of(scaled.output(0), b)),
        path);
    return up;
  }

  private static Node only(Graph graph, Node node, String path) {
    List<Node> readers = graph.consumers(node.output(0));
    requireAsMade(readers.size() == 1, path);
    return readers.get(0);
  }

  static void requireAsMade(boolean condition, String path) {
    if (!condition) {
      throw damaged(path, "its nodes were changed");
    }
  }

  private static LoraGraphException damaged(String path, String what) {
    return new LoraGraphException(
        "the adapter of '%s' is damaged (%s): start from the original model again"
            .formatted(path, what));
  }

  /** Whether it adds what it did at the injection: nothing, as far as its matrices tell. */
  boolean isAsInjected() {
    if (anchor != null) {
      return Arrays.equals(a.toFloats(), anchor.a().toFloats())
          && Arrays.equals(b.toFloats(), anchor.b().toFloats());
    }
    for (float value : b.toFloats()) {
      if (value != 0) {
        return false;
      }
    }
    return true;
  }

  /** Takes the adapter out: what made {@link #BASE} makes the Linear's output again. */
  void removeFrom(Graph graph) {
    Set<Node> gone = new LinkedHashSet<>();
    for (Node joint : joints) {
      String base = joint.input(0);
      addProduct(graph, joint.input(1), gone);
      if (anchor != null) {
        Node rest = graph.requireProducer(base);
        gone.add(rest);
        addProduct(graph, rest.input(1), gone);
        base = rest.input(0);
      }
      gone.add(joint);
      Node end = joint;
      if (magnitude != null) {
        end = Dora.last(graph, joint);
        gone.addAll(Dora.nodesAfter(graph, joint));
      }
      graph.removeAll(new HashSet<>(gone));
      gone.clear();
      Node last = graph.requireProducer(base);
      graph.replace(last, last.withOutput(0, end.output(0)));
    }
    if (magnitude != null) {
      Dora.removeFrom(graph, path);
    }
    for (String name :
        List.of(
            nameOfA(path),
            nameOfB(path),
            nameOfScale(path),
            nameOfAnchorA(path),
            nameOfAnchorB(path),
            nameOfMagnitude(path))) {
      graph.removeInitializer(name);
    }
  }

  private static void addProduct(Graph graph, String delta, Set<Node> nodes) {
    Node up = graph.requireProducer(delta);
    Node scaled = graph.requireProducer(up.input(0));
    nodes.addAll(List.of(up, scaled, graph.requireProducer(scaled.input(0))));
  }
}
