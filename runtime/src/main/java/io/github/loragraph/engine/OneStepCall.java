package io.github.loragraph.engine;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.training.StepGraph;
import java.util.List;

/** A call is one step: the step graph as it stands. */
record OneStepCall(StepGraph graph) implements StepCall {
  @Override
  public OnnxModel model() {
    return graph.model();
  }

  @Override
  public int most() {
    return 1;
  }

  @Override
  public List<HostTensor> inputs(List<List<HostTensor>> steps) {
    return steps.get(0);
  }

  @Override
  public String input(StepGraph.Carried carried) {
    return carried.input();
  }

  @Override
  public String output(StepGraph.Carried carried) {
    return carried.output();
  }

  @Override
  public String output(String figure) {
    return figure;
  }

  @Override
  public float[] figure(OrtSession.Result result, String figure) {
    OnnxTensor tensor = (OnnxTensor) result.get(figure).orElseThrow();
    return new float[] {tensor.getFloatBuffer().get(0)};
  }
}
