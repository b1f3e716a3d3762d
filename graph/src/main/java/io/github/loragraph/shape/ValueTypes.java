package io.github.loragraph.shape;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.TensorType;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is known of the values of a graph before it runs: element types always, ranks and sizes as
 * far as shape inference gets. Immutable.
 */
public final class ValueTypes {
  private final Map<String, TensorType> types;

  public ValueTypes(Map<String, TensorType> types) {
    this.types = Map.copyOf(types);
  }

  /** The types that a graph declares: inputs, outputs, inner values and initializers. */
  public static ValueTypes declared(Graph graph) {
    Map<String, TensorType> types = new HashMap<>();
    graph.valueInfo().forEach(v -> putIfTensor(types, v.name(), v.type()));
    graph.outputs().forEach(v -> putIfTensor(types, v.name(), v.type()));
    graph.inputs().forEach(v -> putIfTensor(types, v.name(), v.type()));
    graph.initializers().values().forEach(t -> types.put(t.name(), t.type()));
    return new ValueTypes(types);
  }

  /** The types that a graph declares for its inputs. */
  public static ValueTypes declaredInputs(Graph graph) {
    Map<String, TensorType> types = new HashMap<>();
    graph.inputs().forEach(v -> putIfTensor(types, v.name(), v.type()));
    return new ValueTypes(types);
  }

  private static void putIfTensor(
      Map<String, TensorType> types, String name, @Nullable TensorType type) {
    if (type != null) {
      types.put(name, type);
    }
  }

  /** The type of a value, or null where nothing is known of it. */
  public @Nullable TensorType get(String value) {
    return types.get(value);
  }

  /** The same without some values, such as those that a rewriting has made anew. */
  public ValueTypes without(Collection<String> values) {
    Map<String, TensorType> left = new HashMap<>(types);
    left.keySet().removeAll(values);
    return new ValueTypes(left);
  }

  /** The names of the values that something is known of. */
  public Set<String> values() {
    return types.keySet();
  }

  /** Both, the other's types first. */
  public ValueTypes overriddenBy(ValueTypes other) {
    Map<String, TensorType> all = new HashMap<>(types);
    all.putAll(other.types);
    return new ValueTypes(all);
  }
}
