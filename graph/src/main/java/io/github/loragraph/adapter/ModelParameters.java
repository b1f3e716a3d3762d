package io.github.loragraph.adapter;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.Linear;
import io.github.loragraph.lora.LinearFinder;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.lora.WeightLayout;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of a model under the names and in the layout that they have in PyTorch: the weight
 * of a Linear is (out, in) there, however the file has it, and that of GPT-2's {@code Conv1D} (in,
 * out). Both ways only move numbers.
 */
final class ModelParameters {
  private static final String WEIGHT = ".weight";

  private final Graph graph;
  private final Map<String, Parameter> parameters = new LinkedHashMap<>();
  private final Map<String, Parameter> copies = new HashMap<>();
  private final Map<String, Linear> linears = new LinkedHashMap<>();
  private final Map<String, Linear> byWeight = new HashMap<>();

  ModelParameters(OnnxModel model) {
    this.graph = model.graph();
    for (Parameter parameter : Parameters.of(model)) {
      parameters.putIfAbsent(parameter.name(), parameter);
      parameter.copies().forEach(copy -> copies.putIfAbsent(copy.name(), parameter));
    }
    for (Linear linear : LinearFinder.find(graph)) {
      linears.put(linear.path(), linear);
      byWeight.putIfAbsent(linear.weightValue(), linear);
    }
  }

  /** The Linears by their module paths, in topological order. */
  Map<String, Linear> linears() {
    return linears;
  }

  /** The names of all parameters, in the order in which the graph reads them. */
  Set<String> names() {
    return parameters.keySet();
  }

  /** The parameter of a name, or the one that is tied to it. */
  @Nullable Parameter get(String name) {
    Parameter parameter = parameters.get(name);
    return parameter == null ? copies.get(name) : parameter;
  }

  /** The module that a parameter belongs to; empty for one of the outermost module. */
  static String moduleOf(String parameter) {
    return parameter.substring(0, Math.max(0, parameter.lastIndexOf('.')));
  }

  /** The parameters of a module, of those inside it as well. */
  Collection<String> namesIn(String module) {
    Set<String> all = new LinkedHashSet<>(parameters.keySet());
    all.addAll(copies.keySet());
    Set<String> names = new LinkedHashSet<>();
    for (String name : all) {
      if (name.startsWith(module + ".")) {
        names.add(name);
      }
    }
    return names;
  }

  /**
   * Whether a Linear is one whose weight PyTorch has as (in, out): the exporter leaves its name to
   * a weight that it did not turn.
   */
  static boolean isConv1D(Linear linear) {
    return linear.layout() == WeightLayout.IN_OUT
        && linear.weight().equals(linear.path() + WEIGHT)
        && linear.sites().get(0).transpose() == null;
  }

  /** Whether rows and columns of a parameter are swapped in the file. */
  private boolean isTurned(Parameter parameter) {
    Linear linear = byWeight.get(parameter.value());
    return linear != null && linear.layout() == WeightLayout.IN_OUT && !isConv1D(linear);
  }

  /** The axes of a parameter in PyTorch. */
  long[] dims(Parameter parameter) {
    long[] dims = matrixDims(parameter);
    return isTurned(parameter) ? new long[] {dims[1], dims[0]} : dims;
  }

  /** The axes in the file, without those of size 1 before the matrix of a Linear. */
  private long[] matrixDims(Parameter parameter) {
    long[] dims = tensor(parameter).dims();
    return byWeight.containsKey(parameter.value()) && dims.length > 2
        ? Arrays.copyOfRange(dims, dims.length - 2, dims.length)
        : dims;
  }

  private Tensor tensor(Parameter parameter) {
    return Objects.requireNonNull(graph.constant(parameter.value()));
  }

  /**
   * The numbers of a parameter as PyTorch has them.
   *
   * @throws LoraGraphException if they are stored in another form than floating-point numbers
   */
  Tensor read(Parameter parameter, String key) {
    requireStored(parameter);
    Tensor tensor = tensor(parameter);
    Tensor matrix = Tensor.of(key, tensor.elementType(), tensor.bytes(), matrixDims(parameter));
    return isTurned(parameter) ? Matrices.transposed(matrix, key) : matrix;
  }

  /**
   * Numbers of PyTorch's as the file has them, under the name of the parameter's value.
   *
   * @param tensor FLOAT, of the parameter's {@link #dims}
   * @throws LoraGraphException if the parameter is stored in another form
   */
  Tensor written(Parameter parameter, Tensor tensor) {
    requireStored(parameter);
    Tensor own = tensor(parameter);
    if (own.elementType() != ElementType.FLOAT) {
      throw new LoraGraphException(
          "the model has '%s' in %s, which cannot take its numbers: take it in float32"
              .formatted(parameter.name(), own.elementType()));
    }
    Tensor turned = isTurned(parameter) ? Matrices.transposed(tensor, parameter.value()) : tensor;
    return Tensor.of(parameter.value(), ElementType.FLOAT, turned.bytes(), own.dims());
  }

  private void requireStored(Parameter parameter) {
    if (parameter.obstacle() != null || graph.constant(parameter.value()) == null) {
      throw new LoraGraphException(
          "'%s' of the model cannot be read or replaced, since %s"
              .formatted(
                  parameter.name(),
                  Objects.requireNonNullElse(parameter.obstacle(), "it is computed")));
    }
  }
}
