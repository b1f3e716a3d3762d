package io.github.loragraph.lora;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Node;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A weight multiplication of a graph, y = xW + b: one layer of the exported model, at each place
 * where the graph calls it.
 *
 * @param path the module path, unique in its graph
 * @param in the number of input features
 * @param out the number of output features
 * @param op {@code MatMul} or {@code Gemm}
 * @param type what it is computed in: the weight's type, or what a {@code Cast} makes of it
 * @param layout how the initializer {@code weight} lies
 * @param part the part of the initializer that is the weight, or null for all of it
 * @param weight the name of the initializer, or of the output of the {@code Constant} node, that
 *     holds the weight
 * @param weightValue the name under which the first node of its own reads the weight at the first
 *     site: {@code weight}, or an {@code Identity} of it
 * @param weightName what PyTorch calls the parameter: {@code <path>.weight}, or {@code
 *     <module>.in_proj_weight} of a multi-head attention
 * @param bias the name under which the bias is read, a 1-D constant of {@code out} elements, or
 *     null where there is none
 * @param biasName what PyTorch calls the bias, where there is one
 * @param sites where the graph calls the layer, in topological order; at least one
 */
public record Linear(
    String path,
    long in,
    long out,
    String op,
    ElementType type,
    WeightLayout layout,
    @Nullable Part part,
    String weight,
    String weightValue,
    String weightName,
    @Nullable String bias,
    String biasName,
    List<Site> sites) {

  /**
   * One call of a Linear. The nodes are those of the graph at the time of the search.
   *
   * @param node the {@code MatMul} or {@code Gemm}
   * @param transpose the {@code Transpose} of the weight, or null
   * @param weightReader the node that reads the weight: {@code node}, or the first of those that
   *     turn, cast or cut it
   * @param add the {@code Add} of the bias, or null where there is no bias or {@code Gemm} adds it
   * @param input the value that is multiplied, x
   * @param output the value that comes out, with its bias
   */
  public record Site(
      Node node,
      @Nullable Node transpose,
      Node weightReader,
      @Nullable Node add,
      String input,
      String output) {
    /** The node that makes {@code output}. */
    public Node last() {
      return add == null ? node : add;
    }

    /** Which input of {@link #weightReader} the weight is. */
    int weightInput() {
      return weightReader == node ? 1 : 0;
    }
  }

  /**
   * A part of a matrix, as attention has the weights of query, key and value in one.
   *
   * @param axis 0: some of the rows, 1: some of the columns
   * @param start the first of them
   * @param size their number
   */
  public record Part(int axis, long start, long size) {}

  public Linear {
    sites = List.copyOf(sites);
  }

  /**
   * Whether an expression chooses this layer: it is found in the module path, or in the name of the
   * parameter where that is no {@code <path>.weight}.
   */
  public boolean matches(Pattern pattern) {
    return matches(TargetModules.found(pattern));
  }

  /** Whether these modules mean this layer: by its path, or by the name of its parameter. */
  public boolean matches(TargetModules modules) {
    return modules.matches(path)
        || (!weightName.equals(path + ".weight") && modules.matches(weightName));
  }
}
