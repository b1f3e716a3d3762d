package io.github.loragraph.lora;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.OnnxModel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds adapters that were in the model when it was exported: PEFT (Hugging Face) puts {@code
 * lora_A.default} and {@code lora_B.default} into a layer and calls the layer itself {@code
 * base_layer}. They are layers of the model here: none gets an adapter of its own.
 */
public final class PeftAdapters {
  private static final Pattern PART = Pattern.compile("(.*)\\.lora_([AB])(?:\\.([^.]+))?");

  private PeftAdapters() {}

  /**
   * One adapter.
   *
   * @param path of the layer that it belongs to
   * @param name PEFT's name for it, {@code default} for most
   * @param rank r
   */
  public record PeftAdapter(String path, String name, long rank) {}

  /** The adapters in the order of the graph. */
  public static List<PeftAdapter> find(Graph graph) {
    Map<String, Linear> firsts = new LinkedHashMap<>();
    List<PeftAdapter> adapters = new ArrayList<>();
    for (Linear linear : LinearFinder.find(graph)) {
      Matcher part = PART.matcher(linear.path());
      if (!part.matches()) {
        continue;
      }
      String name = part.group(3) == null ? "default" : part.group(3);
      String key = part.group(1) + " " + name;
      if (part.group(2).equals("A")) {
        firsts.put(key, linear);
      } else if (firsts.containsKey(key) && firsts.get(key).out() == linear.in()) {
        adapters.add(new PeftAdapter(part.group(1), name, linear.in()));
      }
    }
    return adapters;
  }

  static boolean isIn(OnnxModel model) {
    return !find(model.graph()).isEmpty();
  }

  /** Whether a module path is that of a part of such an adapter. */
  public static boolean isAdapter(String path) {
    return PART.matcher(path).matches();
  }
}
