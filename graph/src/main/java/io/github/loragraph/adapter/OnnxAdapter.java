package io.github.loragraph.adapter;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * An adapter as ONNX Runtime takes it ({@code .onnx_adapter}): values for inputs of a model that
 * may be left out, under their very names. ONNX Runtime knows no rank and no alpha: the scale is in
 * the values.
 *
 * @param adapterVersion whatever its maker counts
 * @param modelVersion of the model that it is for, whatever its maker counts
 * @param parameters by name, in the order of the file
 */
public record OnnxAdapter(int adapterVersion, int modelVersion, Map<String, Tensor> parameters) {
  /** How the name of such a file ends. */
  public static final String SUFFIX = ".onnx_adapter";

  private static final String CONFIG_SUFFIX = ".config.json";

  /** The version that is noted where nobody counts. */
  private static final int FIRST = 1;

  public OnnxAdapter {
    parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
  }

  /**
   * An adapter of the first version.
   *
   * @throws LoraGraphException if two of the tensors have one name
   */
  public static OnnxAdapter of(Collection<Tensor> tensors) {
    Map<String, Tensor> parameters = new LinkedHashMap<>();
    for (Tensor tensor : tensors) {
      if (parameters.put(tensor.name(), tensor) != null) {
        throw new LoraGraphException(
            "an adapter cannot have two parameters named '%s'".formatted(tensor.name()));
      }
    }
    return new OnnxAdapter(FIRST, FIRST, parameters);
  }

  /**
   * The file that says what the answers of an adapter mean.
   *
   * @param file the adapter's
   * @throws LoraGraphException if its name does not end with {@link #SUFFIX}
   */
  public static Path configOf(Path file) {
    String name = String.valueOf(file.getFileName());
    if (!name.endsWith(SUFFIX)) {
      throw new LoraGraphException(
          "%s is no name of an adapter of ONNX Runtime: let it end with %s"
              .formatted(file, SUFFIX));
    }
    String stem = name.substring(0, name.length() - SUFFIX.length());
    return file.resolveSibling(stem + CONFIG_SUFFIX);
  }

  /** The bytes of its tensors together. */
  public long size() {
    return parameters.values().stream().mapToLong(t -> t.bytes().remaining()).sum();
  }

  /** The module paths of the Linears that it adapts; named as in our own models. */
  public Set<String> adaptedPaths() {
    Set<String> paths = new LinkedHashSet<>();
    for (String name : parameters.keySet()) {
      if (AdapterNaming.isMatrix(name)) {
        paths.add(name.substring(0, name.lastIndexOf('.')));
      }
    }
    return paths;
  }

  /** The names of the parameters that it brings whole, those of a head above all. */
  public Set<String> wholeParameters() {
    Set<String> names = new LinkedHashSet<>(parameters.keySet());
    names.removeIf(AdapterNaming::isMatrix);
    return names;
  }

  /** The same tensors, named as in our own models, under other names. */
  public OnnxAdapter named(AdapterNaming naming) {
    return renamed(naming::of);
  }

  /** The same tensors, whoever named them, named as in our own models. */
  public OnnxAdapter ours() {
    return renamed(AdapterNaming::anyToOurs);
  }

  private OnnxAdapter renamed(UnaryOperator<String> names) {
    List<Tensor> tensors = new ArrayList<>();
    parameters.values().forEach(t -> tensors.add(t.withName(names.apply(t.name()))));
    return new OnnxAdapter(adapterVersion, modelVersion, of(tensors).parameters);
  }
}
