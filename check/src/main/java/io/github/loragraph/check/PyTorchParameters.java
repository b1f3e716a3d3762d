package io.github.loragraph.check;

import io.github.loragraph.lora.Linear;
import io.github.loragraph.lora.LinearFinder;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.lora.WeightLayout;
import io.github.loragraph.onnx.OnnxModel;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;

/**
 * A model's trained parameters under PyTorch's names, and their numbers in PyTorch's layout.
 * Nothing here needs JUnit, as in {@link OracleDifferences}.
 */
public final class PyTorchParameters {
  private final Map<String, Parameter> trained = new LinkedHashMap<>();
  private final Map<String, Linear> transposed = new LinkedHashMap<>();

  /** Of the parameters that the model says are trained: all where it has no adapters. */
  public PyTorchParameters(OnnxModel model) {
    this(model, Set.of());
  }

  /**
   * @param untransposed weights that are (in, out) in PyTorch as well
   */
  public PyTorchParameters(OnnxModel model, Set<String> untransposed) {
    Parameters.of(model).stream()
        .filter(Parameter::trainable)
        .forEach(p -> trained.put(p.name(), p));
    for (Linear linear : LinearFinder.find(model.graph())) {
      String weight = linear.path() + ".weight";
      if (linear.layout() == WeightLayout.IN_OUT && !untransposed.contains(weight)) {
        transposed.put(weight, linear);
      }
    }
  }

  /** The trained parameter of a name. */
  public Parameter get(String name) {
    return Objects.requireNonNull(trained.get(name), name);
  }

  /** The values that the parameters are in the graph. */
  public Set<String> values() {
    Set<String> values = new LinkedHashSet<>();
    trained.values().forEach(p -> values.add(p.value()));
    return values;
  }

  /**
   * How far gradients are from PyTorch's.
   *
   * @param expected of every trained parameter, by its name
   * @param byValue the gradient of a value
   */
  public Difference gradients(Map<String, double[]> expected, Function<String, float[]> byValue) {
    if (!expected.keySet().equals(trained.keySet())) {
      throw new AssertionError("trained are " + trained.keySet() + ", not " + expected.keySet());
    }
    Difference difference = Difference.NONE;
    for (Map.Entry<String, double[]> e : expected.entrySet()) {
      float[] actual = byValue.apply(get(e.getKey()).value());
      difference = difference.or(difference(e.getKey(), e.getValue(), actual));
    }
    return difference;
  }

  /**
   * How far numbers of a parameter are from PyTorch's.
   *
   * @param actual as they stand in the model
   */
  public Difference difference(String name, double[] expected, float[] actual) {
    return Difference.of(name, expected, asInPyTorch(name, actual));
  }

  /** Turned where a weight is (in, out) and PyTorch's is (out, in). */
  private float[] asInPyTorch(String name, float[] values) {
    Linear linear = transposed.get(name);
    if (linear == null) {
      return values;
    }
    int in = (int) linear.in();
    int out = (int) linear.out();
    float[] result = new float[values.length];
    for (int i = 0; i < in; i++) {
      for (int o = 0; o < out; o++) {
        result[o * in + i] = values[i * out + o];
      }
    }
    return result;
  }
}
