package io.github.loragraph.lora;

import io.github.loragraph.onnx.Body;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.ops.Trait;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What looks like a layer with a weight matrix and cannot have an adapter: a form that {@link
 * LinearFinder} does not know, or a type that adapters do not have.
 *
 * @param path the module path as far as the names tell it
 * @param node the node's name, or its output where it has none
 * @param op the operator, with its domain if that is not the standard one
 * @param reason why it has no adapter, in a few words
 * @param remedy what can be done
 */
public record UnrecognisedLayer(String path, String node, String op, String reason, String remedy) {
  private static final String OF_FLOATS =
      "adapt the model before its quantization, merge, then quantize";
  private static final String UNFUSED =
      "take the model as it was exported, before ONNX Runtime's optimizer";
  private static final String WITHOUT_BRANCH =
      "export the model with the condition fixed, or move the layer out of the branch";
  private static final String INLINED =
      "inline the model's functions (onnx.inliner.inline_local_functions)";
  private static final String AS_LINEAR = "export it as nn.Linear, which becomes MatMul or Gemm";
  private static final String FOLDED =
      "export the model with constant folding, or fold it (onnxsim, onnxruntime's basic level)";
  private static final String AS_FLOAT = "export the model in float32, or convert it";

  /** What multiplies by a weight. */
  private static final Set<Trait> MULTIPLYING =
      Set.of(
          Trait.MATRIX_PRODUCT,
          Trait.CONVOLUTION,
          Trait.RECURRENT,
          Trait.QUANTIZED_PRODUCT,
          Trait.FUSED_PRODUCT);

  /** The layers in the order of the nodes. */
  public static List<UnrecognisedLayer> find(OnnxModel model) {
    return new Search(model).find();
  }

  /** Whether an expression would have chosen this layer. */
  public boolean matches(Pattern pattern) {
    return pattern.matcher(path).find();
  }

  /** One line. */
  @Override
  public String toString() {
    return "%s (%s): %s; %s".formatted(path, op, reason, remedy);
  }

  /** Whether a node multiplies by a matrix, so that a constant matrix that it reads is a weight. */
  static boolean multiplies(Node node, OnnxModel model) {
    return Operators.all().has(node, MULTIPLYING)
        || (!node.domain().isEmpty() && callsMultiplication(node, model.functions(), 0));
  }

  /** Whether a node calls a function of the model that multiplies, at any depth. */
  private static boolean callsMultiplication(Node node, List<Body> functions, int depth) {
    return depth < 10
        && functions.stream()
            .filter(f -> f.name().equals(node.opType()) && f.domain().equals(node.domain()))
            .flatMap(f -> f.nodes().stream())
            .anyMatch(
                inner ->
                    inner.is("MatMul")
                        || inner.is("Gemm")
                        || inner.is("Einsum")
                        || callsMultiplication(inner, functions, depth + 1));
  }

  /** Walks over the nodes of a model. */
  private static final class Search {
    private final OnnxModel model;
    private final Graph graph;
    private final List<Body> functions;
    private final Set<Node> linears = new HashSet<>();

    /** From values that are computed of constants alone to the matrix among those. */
    private final Map<String, Weight> weights = new HashMap<>();

    private final Set<String> constants = new HashSet<>();
    private final List<UnrecognisedLayer> found = new ArrayList<>();

    Search(OnnxModel model) {
      this.model = model;
      this.graph = model.graph();
      this.functions = model.functions();
    }

    /**
     * A constant matrix, and what is done to it before it is multiplied.
     *
     * @param by the last operator that changes its numbers or takes some of them, or null
     */
    private record Weight(String name, TensorType type, boolean quantized, @Nullable String by) {
      Weight after(Node node) {
        return switch (node.opType()) {
          case "Identity", "Transpose", "Cast", "Constant" -> this;
          case "DequantizeLinear" -> new Weight(name, type, true, by);
          default -> new Weight(name, type, quantized, node.opType());
        };
      }
    }

    List<UnrecognisedLayer> find() {
      for (Linear linear : LinearFinder.find(graph)) {
        linear.sites().forEach(site -> linears.add(site.node()));
        if (linear.type() != ElementType.FLOAT && linear.type() != ElementType.DOUBLE) {
          Node node = linear.sites().get(0).node();
          String reason = "it is computed in " + linear.type();
          found.add(new UnrecognisedLayer(linear.path(), label(node), op(node), reason, AS_FLOAT));
        }
      }
      graph.initializers().forEach((name, tensor) -> constant(name, tensor.type()));
      for (Node node : graph.nodes()) {
        Set<String> reads = node.reads();
        if (node.is("Constant")) {
          Tensor tensor = graph.constant(node.output(0));
          constant(node.output(0), tensor == null ? null : tensor.type());
        } else if (!reads.isEmpty() && constants.containsAll(reads)) {
          derived(node);
        } else if (!linears.contains(node)) {
          look(node, null);
        }
        lookInside(node);
      }
      return found;
    }

    private void constant(String name, @Nullable TensorType type) {
      constants.add(name);
      if (type == null || type.shape() == null || !type.shape().isStatic()) {
        return;
      }
      long[] dims = type.shape().sizes();
      boolean matrix =
          dims.length >= 2 && dims[dims.length - 1] > 1 && dims[dims.length - 2] > 1
              || dims.length > 2 && dims[0] > 1 && dims[1] > 1;
      boolean real = type.elementType().isFloatingPoint();
      boolean small = type.elementType().bytes() <= 1 && type.elementType() != ElementType.BOOL;
      if (matrix && (real || small) && !Adapter.isPartOfAdapter(name)) {
        weights.put(name, new Weight(name, type, !real, null));
      }
    }

    private void derived(Node node) {
      constants.addAll(node.outputs());
      for (String input : node.inputs()) {
        Weight weight = weights.get(input);
        if (weight != null && !node.is("Shape") && !node.is("Size") && !node.is("Gather")) {
          node.outputs().forEach(output -> weights.put(output, weight.after(node)));
          return;
        }
      }
    }

    /** Looks at the nodes of branches and loop bodies. */
    private void lookInside(Node node) {
      for (Body body : node.subgraphs()) {
        body.initializers().forEach(this::constant);
        for (Node inner : body.nodes()) {
          if (inner.is("Constant") && inner.tensor("value") != null) {
            constant(inner.output(0), inner.tensor("value").type());
          } else if (!inner.reads().isEmpty() && constants.containsAll(inner.reads())) {
            derived(inner);
          } else {
            look(inner, "it stands in a branch or body of " + node.opType());
          }
          lookInside(inner);
        }
      }
    }

    /**
     * @param where why no layer here has an adapter, or null
     */
    private void look(Node node, @Nullable String where) {
      Weight weight = weight(node);
      if (weight == null) {
        return;
      }
      @Nullable String reason = null;
      String remedy = "";
      if (Operators.all().has(node, Trait.QUANTIZED_PRODUCT) || weight.quantized) {
        reason = "its weight is quantized (%s)".formatted(typeName(weight));
        remedy = OF_FLOATS;
      } else if (Operators.all().has(node, Trait.FUSED_PRODUCT)) {
        reason = "it is fused by ONNX Runtime's optimizer";
        remedy = UNFUSED;
      } else if (node.domain().isEmpty()) {
        switch (node.opType()) {
          case "MatMul", "Gemm" -> {
            reason = ofProduct(node, weight);
            remedy = weight.by == null ? AS_LINEAR : FOLDED;
          }
          case "Einsum" -> {
            reason = "it is written as Einsum";
            remedy = AS_LINEAR;
          }
          case "Conv" -> {
            reason = isPointwise(weight) ? "it is a convolution of size 1" : null;
            remedy = AS_LINEAR;
          }
          default -> {
            if (Operators.all().has(node, Trait.RECURRENT)) {
              reason = "it is a recurrent layer, which has no adapters";
              remedy = "choose other layers, or train it as it is";
            }
          }
        }
      } else if (callsMultiplication(node, functions, 0)) {
        reason = "it is a call of the model's function '%s'".formatted(op(node));
        remedy = INLINED;
      }
      if (reason != null && where != null) {
        reason = where;
        remedy = WITHOUT_BRANCH;
      }
      if (reason != null) {
        String path = path(node, weight.name);
        found.add(new UnrecognisedLayer(path, label(node), op(node), reason, remedy));
      }
    }

    /** The matrix that a node reads as its weight, or null. */
    private @Nullable Weight weight(Node node) {
      if (node.is("Gather") || node.is("Conv") && node.inputs().size() < 2) {
        return null;
      }
      boolean second = node.is("MatMul") || node.is("Gemm") || node.is("Conv");
      if (second && weights.containsKey(node.input(1))) {
        return weights.get(node.input(1));
      }
      for (String input : node.inputs()) {
        if (weights.containsKey(input) && multiplies(node, model)) {
          return weights.get(input);
        }
      }
      return null;
    }

    private static String ofProduct(Node node, Weight weight) {
      long[] dims = weight.type.requireShape().sizes();
      if (weight.by != null) {
        return "its weight is computed in the graph (%s)".formatted(weight.by);
      }
      if (dims.length > 2) {
        return "its weight is a stack of matrices, of shape " + weight.type.requireShape();
      }
      return node.is("Gemm") && node.attribute("transA", 0L) != 0
          ? "it is a Gemm with transA"
          : "its weight is not the second factor";
    }

    private static boolean isPointwise(Weight weight) {
      long[] dims = weight.type.requireShape().sizes();
      for (int i = 2; i < dims.length; i++) {
        if (dims[i] != 1) {
          return false;
        }
      }
      return true;
    }

    private static String typeName(Weight weight) {
      ElementType type = weight.type.elementType();
      return type == ElementType.OTHER ? "4 or 8 bits" : type.toString();
    }

    private static String label(Node node) {
      return node.name().isEmpty() ? node.output(0) : node.name();
    }

    private static String op(Node node) {
      return node.domain().isEmpty() ? node.opType() : node.domain() + "." + node.opType();
    }

    private static String path(Node node, String weight) {
      String name = node.name();
      int last = name.lastIndexOf('/') + 1;
      if (name.substring(last).matches(Pattern.quote(node.opType()) + "(_\\w+)?") && last > 1) {
        name = name.substring(0, last) + "MatMul";
      }
      String plain = weight.replaceFirst("(\\.weight)_\\w+$", "$1");
      String parameter = ModulePath.isParameter(plain) ? plain : null;
      return ModulePath.recover(name, parameter, null, node.output(0));
    }
  }
}
