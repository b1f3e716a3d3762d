package io.github.loragraph;

import io.github.loragraph.lora.Linear;
import io.github.loragraph.lora.LinearFinder;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.lora.PeftAdapters;
import io.github.loragraph.onnx.OnnxModel;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What is in a model. Immutable.
 *
 * @param linears the Linear layers, those with adapters among them
 * @param notAdaptable layers of other forms, with the reason
 * @param peftAdapters adapters of PEFT that were in the model when it was exported
 * @param parameters as PyTorch counts them, a tied weight once
 * @param recognised how many times each pattern was found that training replaces by one operator;
 *     empty where the model cannot be trained
 * @param obstacle why the model cannot be trained as a whole, or why that was not tried
 */
public record ModelInfo(
    List<LinearLayer> linears,
    List<OtherLayer> notAdaptable,
    List<PeftAdapter> peftAdapters,
    List<Parameter> parameters,
    Map<String, Integer> recognised,
    Optional<String> obstacle) {

  public ModelInfo {
    linears = List.copyOf(linears);
    notAdaptable = List.copyOf(notAdaptable);
    peftAdapters = List.copyOf(peftAdapters);
    parameters = List.copyOf(parameters);
    recognised = Collections.unmodifiableMap(new LinkedHashMap<>(recognised));
  }

  /**
   * A Linear layer.
   *
   * @param path its module path
   * @param in the size of its input
   * @param out the size of its output
   * @param operator the one that multiplies
   * @param adapted whether an adapter is beside it
   */
  public record LinearLayer(String path, long in, long out, String operator, boolean adapted) {}

  /**
   * A layer that cannot have an adapter.
   *
   * @param path its module path
   * @param node the name of the node
   * @param operator of the node
   * @param reason why not
   * @param remedy what to do
   */
  public record OtherLayer(
      String path, String node, String operator, String reason, String remedy) {}

  /**
   * An adapter of PEFT.
   *
   * @param path the module path of its layer
   * @param name its own
   * @param rank its inner size
   */
  public record PeftAdapter(String path, String name, long rank) {}

  /**
   * A parameter.
   *
   * @param name as PyTorch would name it
   * @param shape its axes
   * @param count the number of elements
   * @param trainable whether training changes it
   * @param copies the names of further copies that the file has of it, where it is tied
   */
  public record Parameter(
      String name, List<Long> shape, long count, boolean trainable, List<String> copies) {
    public Parameter {
      shape = List.copyOf(shape);
      copies = List.copyOf(copies);
    }

    private static Parameter of(io.github.loragraph.lora.Parameter parameter) {
      return new Parameter(
          parameter.name(),
          Arrays.stream(parameter.dims()).boxed().toList(),
          parameter.count(),
          parameter.trainable(),
          parameter.copies().stream().map(io.github.loragraph.lora.Parameter.Copy::name).toList());
    }
  }

  /**
   * @param match chooses layers; null for all
   */
  static ModelInfo of(
      OnnxModel model,
      @Nullable Pattern match,
      List<io.github.loragraph.lora.Parameter> parameters,
      Map<String, Integer> recognised,
      Optional<String> obstacle) {
    Set<String> adapted = LoraMetadata.adaptedPaths(model);
    return new ModelInfo(
        LinearFinder.find(model.graph()).stream()
            .filter(linear -> !PeftAdapters.isAdapter(linear.path()))
            .filter(linear -> match == null || linear.matches(match))
            .map(linear -> layer(linear, adapted))
            .toList(),
        io.github.loragraph.lora.UnrecognisedLayer.find(model).stream()
            .filter(layer -> match == null || layer.matches(match))
            .map(l -> new OtherLayer(l.path(), l.node(), l.op(), l.reason(), l.remedy()))
            .toList(),
        PeftAdapters.find(model.graph()).stream()
            .map(a -> new PeftAdapter(a.path(), a.name(), a.rank()))
            .toList(),
        parameters.stream().map(Parameter::of).toList(),
        recognised,
        obstacle);
  }

  private static LinearLayer layer(Linear linear, Set<String> adapted) {
    return new LinearLayer(
        linear.path(), linear.in(), linear.out(), linear.op(), adapted.contains(linear.path()));
  }

  /** How many parameters there are. */
  public ParameterCount parameterCount() {
    return new ParameterCount(
        parameters.stream().mapToLong(Parameter::count).sum(),
        parameters.stream().filter(Parameter::trainable).mapToLong(Parameter::count).sum());
  }
}
