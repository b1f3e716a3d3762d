package io.github.loragraph.engine;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.training.StepGraph;
import java.util.List;

/** How steps get into a session and their figures out of it. */
interface StepCall {
  /** The model that the session is over. */
  OnnxModel model();

  /** The most steps in one call. */
  int most();

  /**
   * What the session is fed besides the carried values.
   *
   * @param steps what is new in each step
   */
  List<HostTensor> inputs(List<List<HostTensor>> steps);

  /** The input that a carried value goes to. */
  String input(StepGraph.Carried carried);

  /** The output that a carried value comes from. */
  String output(StepGraph.Carried carried);

  /** The output that tells a figure. */
  String output(String figure);

  /** A figure of each step. */
  float[] figure(OrtSession.Result result, String figure) throws OrtException;
}
