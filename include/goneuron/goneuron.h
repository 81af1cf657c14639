// GoNeuron: everything common, by one include.
#pragma once

#include "goneuron/attention.h"
#include "goneuron/callback.h"
#include "goneuron/dataset.h"
#include "goneuron/device.h"
#include "goneuron/error.h"
#include "goneuron/functions.h"
#include "goneuron/layers.h"
#include "goneuron/loss.h"
#include "goneuron/model.h"
#include "goneuron/moe.h"
#include "goneuron/norms.h"
#include "goneuron/optimizer.h"
#include "goneuron/recurrent.h"
#include "goneuron/schedule.h"
#include "goneuron/sequence.h"
#include "goneuron/transformer.h"
