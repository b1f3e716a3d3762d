package io.github.loragraph.lora;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Recovers the module path of a Linear from the names that an exporter has left.
 *
 * <p>Each source can be missing or wrong, and they are asked in this order:
 *
 * <ol>
 *   <li>The scope in the node's name, {@code /encoder/layer.0/query/MatMul} (PyTorch 1.13 and
 *       later). It is written where the module is called, before any pass over tensors, so it stays
 *       right where equal tensors are merged and one name stands for many.
 *   <li>The weight's name, {@code encoder.layer.0.query.weight}. It is absent where the transposed
 *       weight was folded ({@code onnx::MatMul_325}), and names another module where a weight is
 *       tied: a caller leaves it out then.
 *   <li>The bias's name, {@code encoder.layer.0.query.bias}, all that is left before PyTorch 1.13.
 *       Biases are what exporters merge most, since new models have zeros in all of them: it must
 *       be the name that the Linear itself reads (the output of an {@code Identity} has the real
 *       one), and a caller leaves it out where other layers read the same value.
 *   <li>The node's name as it is, {@code MatMul_58}, and last the name of its output.
 * </ol>
 */
final class ModulePath {
  /** What exporters, optimizers and quantizers call the node within its module's scope. */
  private static final Pattern OPERATOR =
      Pattern.compile("(Fused|QLinear|DynamicQuantize)?(MatMul|Gemm)\\w*");

  /** A name of PyTorch's {@code named_parameters()}: neither a scope nor {@code onnx::MatMul_1}. */
  private static final Pattern PARAMETER = Pattern.compile("[\\w-]+(\\.[\\w-]+)+");

  private static final Pattern OUTPUT_NUMBER = Pattern.compile("_output_\\d+$");

  private ModulePath() {}

  /**
   * The path of one multiplication.
   *
   * @param node the name of the node, maybe empty
   * @param weight the name under which the weight is read, or null if it must not be trusted
   * @param bias the name under which the bias is read, or null if there is none or it must not be
   *     trusted
   * @param output the name of the node's output
   */
  static String recover(
      String node, @Nullable String weight, @Nullable String bias, String output) {
    String path = ofScope(node);
    if (path == null) {
      path = ofParameter(weight, "weight");
    }
    if (path == null) {
      path = ofParameter(bias, "bias");
    }
    if (path != null) {
      return path;
    }
    return plain(node.isEmpty() ? ofOutput(output) : node);
  }

  private static String ofOutput(String output) {
    String name = OUTPUT_NUMBER.matcher(output).replaceFirst("");
    String path = ofScope(name);
    return path == null ? name : path;
  }

  /** A name as a path: with dots only, and none at its ends. */
  private static String plain(String name) {
    String path = name.replace('/', '.');
    return path.startsWith(".") ? path.substring(1) : path;
  }

  /**
   * The module in whose scope a node is; null where its name has no scope. The children of an
   * {@code nn.Sequential} repeat its name, {@code /layer1/layer1.0/Gemm}, which is the module
   * {@code layer1.0}.
   */
  static @Nullable String ofScope(String node) {
    if (node.indexOf('/') < 0) {
      return null;
    }
    List<String> segments = new ArrayList<>();
    for (String segment : node.split("/", -1)) {
      int last = segments.size() - 1;
      if (last >= 0 && segment.startsWith(segments.get(last) + ".")) {
        segments.set(last, segment);
      } else if (!segment.isEmpty()) {
        segments.add(segment);
      }
    }
    while (!segments.isEmpty() && OPERATOR.matcher(segments.get(segments.size() - 1)).matches()) {
      segments.remove(segments.size() - 1);
    }
    return segments.isEmpty() ? null : String.join(".", segments);
  }

  /** The module that a parameter belongs to; null if the name is not {@code <module>.<kind>}. */
  static @Nullable String ofParameter(@Nullable String name, String kind) {
    if (name == null || !isParameter(name) || !name.endsWith("." + kind)) {
      return null;
    }
    return ofParameter(name);
  }

  /** A parameter's name without its last part; empty for one of the outermost module. */
  static String ofParameter(String name) {
    return name.substring(0, Math.max(0, name.lastIndexOf('.')));
  }

  /** Whether a tensor has the name of a PyTorch parameter, not one that the exporter made up. */
  static boolean isParameter(String name) {
    return PARAMETER.matcher(name).matches();
  }
}
