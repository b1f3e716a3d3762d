package io.github.loragraph.lora;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds the weights that a network has once and a file several times: exporters write a tied weight
 * (the embeddings and the last layer of a language model) for each of its uses, one of them
 * transposed.
 *
 * <p>Two matrices are one parameter where all their numbers are equal, as they lie or transposed.
 * Vectors, small matrices and those that hold one number only are equal in any new model and are
 * left apart. So are layers of one kind, whose names differ by their numbers alone: PyTorch's
 * {@code TransformerEncoder} starts with copies of one layer that are not tied.
 */
public final class TiedWeights {
  /** Fewer numbers than these may be equal by chance or by construction. */
  private static final int SMALLEST = 32;

  /**
   * How many rows and columns of a matrix tell whether it is worth comparing: a block in its
   * middle, so that few pages of the file become part of the process's memory.
   */
  private static final int SAMPLED = 4;

  private TiedWeights() {}

  /** Each parameter once, with its copies; the first one stays, as PyTorch counts. */
  static List<Parameter> join(Graph graph, List<Parameter> parameters) {
    Map<List<Object>, List<Parameter>> alike = new HashMap<>();
    List<Parameter> joined = new ArrayList<>();
    Map<String, List<Parameter.Copy>> copies = new HashMap<>();
    for (Parameter parameter : parameters) {
      Tensor matrix = graph.constant(parameter.value());
      if (matrix == null || !mayBeTied(parameter, matrix)) {
        joined.add(parameter);
        continue;
      }
      List<Parameter> others = alike.computeIfAbsent(fingerprint(matrix), k -> new ArrayList<>());
      Parameter.@Nullable Copy copy = null;
      for (Parameter other : others) {
        if (differInNumbersOnly(other.name(), parameter.name())) {
          continue;
        }
        Tensor first = Objects.requireNonNull(graph.constant(other.value()));
        boolean same = equal(first, matrix, false);
        if ((same || equal(first, matrix, true)) && !isConstant(matrix)) {
          copy = new Parameter.Copy(parameter.name(), parameter.value(), !same);
          copies.computeIfAbsent(other.value(), k -> new ArrayList<>()).add(copy);
          break;
        }
      }
      if (copy == null) {
        others.add(parameter);
        joined.add(parameter);
      }
    }
    return joined.stream()
        .map(p -> p.with(p.trainable(), copies.getOrDefault(p.value(), List.of())))
        .toList();
  }

  private static boolean mayBeTied(Parameter parameter, Tensor tensor) {
    return tensor.elementType().bytes() > 0
        && tensor.rank() == 2
        && tensor.dim(0) > 1
        && tensor.dim(1) > 1
        && tensor.elementCount() >= SMALLEST
        && !Adapter.isAdapterWeight(parameter.value());
  }

  /** What two matrices have in common that are equal, as they lie or transposed. */
  private static List<Object> fingerprint(Tensor matrix) {
    long rows = matrix.dim(0);
    long columns = matrix.dim(1);
    long small = Math.min(rows, columns);
    long large = Math.max(rows, columns);
    List<Object> print = new ArrayList<>(List.of(matrix.elementType(), small, large));
    ByteBuffer bytes = matrix.bytes();
    int width = matrix.elementType().bytes();
    for (int k = 0; k < SAMPLED * SAMPLED; k++) {
      // Of a square matrix it is not known which way it lies, so both places count the same.
      long i = (small / 2 + k % SAMPLED) % small;
      long j = (large / 2 + k / SAMPLED) % large;
      long at = rows <= columns ? i * columns + j : j * columns + i;
      long other = rows == columns ? j * columns + i : at;
      print.add(bits(bytes, at, width) + bits(bytes, other, width));
    }
    return print;
  }

  private static long bits(ByteBuffer bytes, long at, int width) {
    int place = Math.toIntExact(at * width);
    return switch (width) {
      case 1 -> bytes.get(place);
      case 2 -> bytes.getShort(place);
      case 4 -> bytes.getInt(place);
      default -> bytes.getLong(place);
    };
  }

  private static boolean equal(Tensor a, Tensor b, boolean transposed) {
    if (a.dim(0) != b.dim(transposed ? 1 : 0) || a.dim(1) != b.dim(transposed ? 0 : 1)) {
      return false;
    }
    ByteBuffer left = a.bytes();
    ByteBuffer right = b.bytes();
    if (!transposed) {
      return left.equals(right);
    }
    int width = a.elementType().bytes();
    long rows = a.dim(0);
    long columns = a.dim(1);
    for (long i = 0; i < rows; i++) {
      for (long j = 0; j < columns; j++) {
        if (bits(left, i * columns + j, width) != bits(right, j * rows + i, width)) {
          return false;
        }
      }
    }
    return true;
  }

  private static boolean isConstant(Tensor matrix) {
    ByteBuffer bytes = matrix.bytes();
    int width = matrix.elementType().bytes();
    long first = bits(bytes, 0, width);
    for (long i = 1; i < matrix.elementCount(); i++) {
      if (bits(bytes, i, width) != first) {
        return false;
      }
    }
    return true;
  }

  /** Layers of one kind; a further call of one layer has a number at its end. */
  private static boolean differInNumbersOnly(String a, String b) {
    return !a.equals(b)
        && a.replaceAll("\\d+", "0").equals(b.replaceAll("\\d+", "0"))
        && !withoutCall(a).equals(withoutCall(b));
  }

  private static String withoutCall(String name) {
    return name.replaceFirst("_\\d+(\\.weight)?$", "$1");
  }

  /**
   * The model in which every copy of a parameter is computed from it: what is trained is trained
   * once, and its gradient is the sum over its uses. A copy that is itself one of the values stays
   * apart. The given model is left as it is.
   *
   * @param values parameters that are trained
   */
  static OnnxModel follow(OnnxModel model, Set<String> values) {
    Graph graph = null;
    for (Parameter parameter : Parameters.of(model)) {
      for (Parameter.Copy copy : parameter.copies()) {
        if (values.contains(parameter.value()) && !values.contains(copy.value())) {
          graph = graph == null ? model.graph().copy() : graph;
          compute(graph, parameter.value(), copy);
        }
      }
    }
    return graph == null ? model : model.withGraph(graph);
  }

  private static void compute(Graph graph, String value, Parameter.Copy copy) {
    Node old = graph.producer(copy.value());
    Node node =
        Node.of(
            graph.freshName("/" + copy.value() + "/tied"),
            copy.transposed() ? "Transpose" : "Identity",
            List.of(value),
            List.of(copy.value()));
    if (copy.transposed()) {
      node = node.with("perm", new long[] {1, 0});
    }
    if (old == null) {
      graph.removeInitializer(copy.value());
    } else {
      graph.remove(old);
    }
    Node first = graph.nodes().isEmpty() ? null : graph.nodes().get(0);
    Node maker = graph.producer(value);
    if (maker != null) {
      graph.insertAfter(maker, node);
    } else if (first != null) {
      graph.insertBefore(first, node);
    } else {
      graph.add(node);
    }
  }

  /**
   * Puts trained parameters into a model, and the same numbers into their copies. The copies are
   * those of the model as it was before the training.
   *
   * @param original the model that was trained
   * @param trained the same model, each value an initializer of its own; it is changed
   */
  static void update(OnnxModel original, OnnxModel trained, Map<String, Tensor> values) {
    values.forEach((name, tensor) -> trained.graph().putInitializer(tensor.withName(name)));
    for (Parameter parameter : Parameters.of(original)) {
      Tensor tensor = values.get(parameter.value());
      for (Parameter.Copy copy : parameter.copies()) {
        if (tensor != null && !values.containsKey(copy.value())) {
          Graph graph = trained.graph();
          Node producer = graph.producer(copy.value());
          if (producer != null) {
            graph.remove(producer);
          }
          graph.putInitializer(
              copy.transposed() ? transposed(copy.value(), tensor) : tensor.withName(copy.value()));
        }
      }
    }
  }

  private static Tensor transposed(String name, Tensor matrix) {
    int width = matrix.elementType().bytes();
    int rows = Math.toIntExact(matrix.dim(0));
    int columns = Math.toIntExact(matrix.dim(1));
    ByteBuffer from = matrix.bytes();
    ByteBuffer to = ByteBuffer.allocateDirect(from.remaining()).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        int source = (i * columns + j) * width;
        int target = (j * rows + i) * width;
        switch (width) {
          case 2 -> to.putShort(target, from.getShort(source));
          case 4 -> to.putInt(target, from.getInt(source));
          default -> to.putLong(target, from.getLong(source));
        }
      }
    }
    return Tensor.of(name, matrix.elementType(), to, columns, rows);
  }
}
