package io.github.loragraph.ops;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.OnnxModel;

/** The kernels that gradients may be written for: what has to run the graph. */
public enum Kernels {
  /** Standard operators alone, which any ONNX Runtime runs, and as few of them as there may be. */
  STANDARD,

  /**
   * Standard operators in the forms that a CPU is fastest with. There a pass over the values of a
   * layer, which no cache holds, costs more than a node does: a gradient shares what it can with
   * the forward pass, for which the forward node may be written anew.
   */
  CPU,

  /**
   * The same, and the gradient kernels for the CPU that ONNX Runtime's training build carries, in
   * the domain {@link #DOMAIN}. The stock build does not know them.
   */
  TRAINING_BUILD;

  /** ONNX Runtime's own operators, the gradient kernels among them; version 1. */
  public static final String DOMAIN = "com.microsoft";

  /** The model, with the kernels' domain imported where its graph has nodes of it. */
  public static OnnxModel imported(OnnxModel model) {
    Graph graph = model.graph();
    boolean used = graph.nodes().stream().anyMatch(node -> node.domain().equals(DOMAIN));
    return used ? model.withOpset(DOMAIN, 1) : model;
  }
}
