package io.github.loragraph.lora;

import io.github.loragraph.onnx.Body;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The parameter table of a model, as PyTorch's {@code named_parameters} has it: weights and biases
 * of Linears, embeddings, normalization weights, adapters; those in branches and functions too, and
 * those that are stored in 16 bits or quantized. Parameters that are tied count once ({@link
 * TiedWeights}); vectors that only have equal values, which exporters merge behind {@code Identity}
 * nodes, count each. Constants of the computation (a mask's value, an epsilon) are none, nor are
 * scales and zero points of quantized weights, nor the buffers of rotary embeddings and batch
 * normalization, which no optimizer gets in PyTorch.
 */
public final class Parameters {
  /** Nothing but its name tells a buffer from a parameter in the file. */
  private static final Pattern BUFFER =
      Pattern.compile("(^|\\.)(inv_freq|running_mean|running_var|position_ids)$");

  /** What quantizers put behind the name of a weight. */
  private static final Pattern QUANTIZED =
      Pattern.compile("_(quantized|q4|Q4|int8|uint8|i8|DQ_Q4)$");

  private static final Set<ElementType> SMALL =
      Set.of(
          ElementType.INT8,
          ElementType.UINT8,
          ElementType.INT16,
          ElementType.UINT16,
          ElementType.OTHER);

  private final OnnxModel model;
  private final Graph graph;

  /** Null where the model does not say. */
  private final @Nullable Set<String> trainable;

  private final Map<String, String> names = new HashMap<>();
  private final Set<String> seen = new HashSet<>();
  private final List<Parameter> found = new ArrayList<>();

  private Parameters(OnnxModel model) {
    this.model = model;
    this.graph = model.graph();
    this.trainable =
        LoraMetadata.of(model).map(m -> (Set<String>) new HashSet<>(m.trainable())).orElse(null);
    for (Linear linear : LinearFinder.find(graph)) {
      names.putIfAbsent(linear.weightValue(), linear.weightName());
      if (linear.bias() != null) {
        names.putIfAbsent(linear.bias(), linear.biasName());
      }
    }
  }

  /**
   * The parameters in the order in which the graph reads them, tied ones once. In an injected model
   * those are trainable that its metadata names; in any other all are that can be, as in a model
   * that PyTorch has loaded.
   */
  public static List<Parameter> of(OnnxModel model) {
    return TiedWeights.join(model.graph(), untied(model));
  }

  /** The same with each copy of a tied parameter for itself. */
  public static List<Parameter> untied(OnnxModel model) {
    return new Parameters(model).find();
  }

  private List<Parameter> find() {
    Map<String, long[]> sparse = model.sparseInitializers();
    for (Node node : graph.nodes()) {
      if (node.is("Identity")) {
        continue;
      }
      for (int i = 0; i < node.inputs().size(); i++) {
        String value = node.input(i);
        Tensor tensor = value.isEmpty() ? null : graph.constant(value);
        if (tensor != null) {
          String obstacle = obstacle(tensor.elementType());
          add(new Use(node, i), value, value, tensor.name(), tensor.type(), obstacle);
        } else if (sparse.containsKey(value)) {
          TensorType type = TensorType.of(ElementType.FLOAT, sparse.get(value));
          add(new Use(node, i), value, value, value, type, "it is stored as a sparse tensor");
        }
      }
      node.subgraphs().forEach(body -> addInner(node, body, "it stands in a branch of " + node));
    }
    model.functions().forEach(f -> f.nodes().forEach(node -> addInFunction(node, f)));
    return found;
  }

  private static @Nullable String obstacle(ElementType type) {
    return type == ElementType.FLOAT || type == ElementType.DOUBLE
        ? null
        : "it is stored as " + (type == ElementType.OTHER ? "4- or 8-bit numbers" : type);
  }

  /** What stands in a body of If, Loop or Scan; what it reads from around it is counted, too. */
  private void addInner(Node holder, Body body, String where) {
    Map<String, TensorType> constants = new HashMap<>(body.initializers());
    body.sparse().forEach((n, dims) -> constants.put(n, TensorType.of(ElementType.FLOAT, dims)));
    for (Node node : body.nodes()) {
      if (node.is("Constant") && node.tensor("value") != null) {
        constants.put(node.output(0), node.tensor("value").type());
      }
      for (int i = 0; i < node.inputs().size() && !node.is("Identity"); i++) {
        String value = node.input(i);
        TensorType type = constants.get(value);
        if (type != null) {
          // Branches may use the same name for different tensors.
          String key = holder.output(0) + "/" + body.name() + "/" + value;
          add(new Use(node, i), key, value, value, type, where);
          continue;
        }
        Tensor outer = value.isEmpty() ? null : graph.constant(value);
        if (outer != null) {
          add(new Use(node, i), value, value, outer.name(), outer.type(), where);
        }
      }
      node.subgraphs().forEach(inner -> addInner(node, inner, where));
    }
  }

  private void addInFunction(Node constant, Body function) {
    if (!constant.is("Constant") || constant.tensor("value") == null) {
      return;
    }
    String name = constant.output(0);
    String key = function.domain() + "/" + function.name() + "/" + name;
    for (Node reader : function.nodes()) {
      int input = reader.inputs().indexOf(name);
      if (input >= 0) {
        TensorType type = constant.tensor("value").type();
        add(new Use(reader, input), key, name, name, type, "it stands in a function");
      }
    }
  }

  /** One input of one node. */
  private record Use(Node reader, int input) {
    boolean isWeight() {
      return WeightInputs.isWeight(reader, input);
    }
  }

  /**
   * @param key no two parameters have the same
   * @param value what the node reads
   * @param stored the tensor's name
   * @param obstacle to training it, or null
   */
  private void add(
      Use use,
      String key,
      String value,
      String stored,
      TensorType type,
      @Nullable String obstacle) {
    if (type.shape() == null || type.shape().rank() == 0 || !type.shape().isStatic()) {
      return;
    }
    long[] dims = type.shape().sizes();
    String name =
        type.elementType().isFloatingPoint()
            ? name(use, value, dims)
            : quantizedName(use, value, type.elementType(), dims);
    if (name == null || !seen.add(key)) {
      return;
    }
    long[] matrix = WeightInputs.unpacked(use.reader, use.input, dims);
    found.add(
        new Parameter(
            name,
            value,
            stored,
            matrix,
            Arrays.stream(matrix).reduce(1, Math::multiplyExact),
            obstacle == null && (trainable == null || trainable.contains(name)),
            List.of(),
            obstacle));
  }

  /** A floating-point parameter's name, or null for a constant. */
  private @Nullable String name(Use use, String value, long[] dims) {
    String ofLinear = names.get(value);
    if (ofLinear != null) {
      return ofLinear;
    }
    if (Adapter.isPartOfAdapter(value)) {
      return Adapter.isAdapterWeight(value) ? value : null;
    }
    if (BUFFER.matcher(value).find()) {
      return null;
    }
    if (ModulePath.isParameter(value) || use.isWeight()) {
      return value;
    }
    return isMatrix(dims) && UnrecognisedLayer.multiplies(use.reader, model) ? value : null;
  }

  private static @Nullable String quantizedName(
      Use use, String value, ElementType type, long[] dims) {
    boolean parameter =
        use.reader.is("Gather")
            ? dims.length == 2 && SMALL.contains(type)
            : use.isWeight() && (SMALL.contains(type) || type == ElementType.INT32);
    boolean named = dims.length >= 2 && SMALL.contains(type) && ModulePath.isParameter(value);
    boolean isScale = value.endsWith("_zero_point") || value.endsWith("_scale");
    return (parameter || named) && !isScale && !BUFFER.matcher(value).find()
        ? QUANTIZED.matcher(value).replaceFirst("")
        : null;
  }

  private static boolean isMatrix(long[] dims) {
    return dims.length >= 2 && dims[dims.length - 1] > 1 && dims[dims.length - 2] > 1;
  }
}
