package io.github.loragraph.lora;

import io.github.loragraph.onnx.Tensor;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Names of PyTorch's {@code nn.MultiheadAttention}, which has query, key and value in one parameter
 * {@code in_proj_weight} and calls them {@code q_proj}, {@code k_proj} and {@code v_proj} where it
 * has them apart.
 */
final class InProjection {
  private static final Pattern PARAMETER =
      Pattern.compile("(.*?)\\.?in_proj_(weight|bias)(_\\d+)?");

  private InProjection() {}

  /**
   * The path of a multiplication with all or a part of {@code in_proj_weight}.
   *
   * @param weight the name under which the weight is read
   * @param bias the name under which its own bias is read, or null
   * @param part what of the weight is read, or null for all
   * @param tensor the whole weight
   * @return null where neither name is one of these
   */
  static @Nullable String path(
      String weight, @Nullable String bias, Linear.@Nullable Part part, Tensor tensor) {
    String module = module(weight);
    if (module == null) {
      module = module(bias);
    }
    if (module == null) {
      return null;
    }
    String name = part == null ? "in_proj" : name(part, tensor.dim(part.axis()));
    return name == null ? null : module.isEmpty() ? name : module + "." + name;
  }

  private static @Nullable String name(Linear.Part part, long all) {
    if (part.size() * 3 == all && part.start() % part.size() == 0) {
      return "qkv".charAt((int) (part.start() / part.size())) + "_proj";
    }
    if (part.start() == 0 && part.size() * 3 == 2 * all) {
      return "qk_proj";
    }
    return part.start() * 3 == all && part.start() + part.size() == all ? "kv_proj" : null;
  }

  /**
   * What PyTorch calls the weight or bias of a Linear.
   *
   * @param weight the name under which the weight is read
   * @param bias the name under which the bias is read, or null
   * @param path the Linear's
   * @param kind {@code weight} or {@code bias}
   */
  static String parameter(String weight, @Nullable String bias, String path, String kind) {
    String module = module(weight);
    if (module == null && path.endsWith("in_proj")) {
      module = module(bias);
    }
    if (module == null) {
      return path + "." + kind;
    }
    return (module.isEmpty() ? "" : module + ".") + "in_proj_" + kind;
  }

  /** The attention that a parameter belongs to; null if it is none of these. */
  private static @Nullable String module(@Nullable String parameter) {
    Matcher matcher = PARAMETER.matcher(parameter == null ? "" : parameter);
    return matcher.matches() ? matcher.group(1) : null;
  }
}
