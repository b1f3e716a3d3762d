package io.github.loragraph.lora;

import io.github.loragraph.onnx.Node;
import java.util.List;

/**
 * A weight multiplication of a graph, y = xW + b: one layer of the exported model, at each place
 * where the graph calls it.
 *
 * @param path the module path, unique in its graph
 * @param in the number of input features
 * @param out the number of output features
 * @param op {@code MatMul} or {@code Gemm}
 * @param layout how the initializer {@code weight} lies
 * @param weight the name of the initializer, or of the output of the {@code Constant} node, that
 *     holds the weight
 * @param weightValue the name under which the {@code Transpose}, or else the multiplication, reads
 *     the weight at the first site: {@code weight}, or an {@code Identity} of it
 * @param bias the name under which the bias is read, a 1-D constant of {@code out} elements, or
 *     null where there is none
 * @param sites where the graph calls the layer, in topological order; at least one
 */
public record Linear(
    String path,
    long in,
    long out,
    String op,
    WeightLayout layout,
    String weight,
    String weightValue,
    String bias,
    List<Site> sites) {

  /**
   * One call of a Linear. The nodes are those of the graph at the time of the search.
   *
   * @param node the {@code MatMul} or {@code Gemm}
   * @param transpose the {@code Transpose} of the weight, or null
   * @param add the {@code Add} of the bias, or null where there is no bias or {@code Gemm} adds it
   * @param input the value that is multiplied, x
   * @param output the value that comes out, with its bias
   */
  public record Site(Node node, Node transpose, Node add, String input, String output) {
    /** The node that makes {@code output}. */
    public Node last() {
      return add == null ? node : add;
    }

    /** The node that reads the weight. */
    Node weightReader() {
      return transpose == null ? node : transpose;
    }
  }

  public Linear {
    sites = List.copyOf(sites);
  }
}
