package io.github.loragraph.adapter;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One adapted module of an adapter.
 *
 * @param module its path in the base model, without {@link PeftAdapter#PREFIX}
 * @param a lora_A, (r, in)
 * @param b lora_B, (out, r)
 * @param magnitude DoRA's, (out); null where there is none
 * @param alpha its lora_alpha
 * @param scale what the branch is multiplied by
 */
public record PeftLayer(
    String module, Tensor a, Tensor b, @Nullable Tensor magnitude, double alpha, double scale) {

  private static final Pattern PART =
      Pattern.compile("(.*)\\.(lora_(?:A|B|embedding_A|embedding_B|magnitude_vector))(\\..*)?");

  /** The inner size, r. */
  public int rank() {
    return Math.toIntExact(a.dim(0));
  }

  /** The number of input features. */
  public long in() {
    return a.dim(1);
  }

  /** The number of output features. */
  public long out() {
    return b.dim(0);
  }

  /** Whether a key is of a part of an adapted module. */
  static boolean isPart(String key) {
    return PART.matcher(key).matches();
  }

  /** The path of a module, of the key that begins with it. */
  static String module(String path) {
    return path.startsWith(PeftAdapter.PREFIX) ? path.substring(PeftAdapter.PREFIX.length()) : path;
  }

  static String keyOfA(String module) {
    return PeftAdapter.PREFIX + module + ".lora_A.weight";
  }

  static String keyOfB(String module) {
    return PeftAdapter.PREFIX + module + ".lora_B.weight";
  }

  static String keyOfMagnitude(String module) {
    return PeftAdapter.PREFIX + module + ".lora_magnitude_vector";
  }

  static Map<String, PeftLayer> of(PeftConfig config, Map<String, Tensor> tensors) {
    Set<String> paths = new LinkedHashSet<>();
    for (String key : tensors.keySet()) {
      Matcher part = PART.matcher(key);
      if (part.matches()) {
        requireKnown(key, part.group(2), part.group(3));
        paths.add(part.group(1));
      }
    }
    Map<String, PeftLayer> layers = new LinkedHashMap<>();
    for (String path : paths) {
      PeftLayer layer = of(config, tensors, path);
      if (layers.put(layer.module, layer) != null) {
        throw new LoraGraphException(
            "it has '%s' with '%s' before it and without".formatted(path, PeftAdapter.PREFIX));
      }
    }
    return layers;
  }

  private static void requireKnown(String key, String part, @Nullable String rest) {
    if (part.startsWith("lora_embedding")) {
      throw new LoraGraphException(
          "it adapts an embedding ('%s'), which is not supported".formatted(key));
    }
    boolean magnitude = part.equals("lora_magnitude_vector");
    if (magnitude ? rest != null : !".weight".equals(rest)) {
      throw new LoraGraphException(
          "its key '%s' is none of PEFT's (%s%s)".formatted(key, part, magnitude ? "" : ".weight"));
    }
  }

  private static PeftLayer of(PeftConfig config, Map<String, Tensor> tensors, String path) {
    Tensor a = require(tensors, path + ".lora_A.weight");
    Tensor b = require(tensors, path + ".lora_B.weight");
    Tensor magnitude = tensors.get(path + ".lora_magnitude_vector");
    if (a.rank() != 2 || b.rank() != 2) {
      throw new LoraGraphException(
          "its '%s' has shape %s, and only layers of matrices are adapted here, no convolutions"
              .formatted(a.rank() == 2 ? b.name() : a.name(), shape(a.rank() == 2 ? b : a)));
    }
    String module = module(path);
    int rank = config.rank(module);
    if (a.dim(0) != rank || b.dim(1) != rank) {
      throw new LoraGraphException(
          "it says rank %d for '%s', and its lora_A and lora_B have shapes %s and %s"
              .formatted(rank, module, shape(a), shape(b)));
    }
    if (config.useDora() != (magnitude != null)) {
      throw new LoraGraphException(
          "it says use_dora: %s, and '%s' has %s lora_magnitude_vector"
              .formatted(config.useDora(), module, magnitude == null ? "no" : "a"));
    }
    if (magnitude != null && magnitude.elementCount() != b.dim(0)) {
      throw new LoraGraphException(
          "its '%s' has shape %s, and lora_B %s"
              .formatted(magnitude.name(), shape(magnitude), shape(b)));
    }
    return new PeftLayer(module, a, b, magnitude, config.alpha(module), config.scale(module));
  }

  private static Tensor require(Map<String, Tensor> tensors, String key) {
    Tensor tensor = tensors.get(key);
    if (tensor == null) {
      throw new LoraGraphException("it has no '%s'".formatted(key));
    }
    return tensor;
  }

  private static String shape(Tensor tensor) {
    return Arrays.toString(tensor.dims());
  }
}
